/** kill -9 of the API server under writes from many clients: what was acknowledged is there, nothing is there by half, and watches go on where they were. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ConfigMap } from '#api';
import { CONFIG_MAPS, type RestClient } from '#client';
import { isExpired } from '#machinery';
import { chance, SEED } from './chance.ts';
import { dray, type Dray, freePort, inFolder, readyClient } from './dray.ts';

/** DRAY_CRASH_KILLS=500 is the long form; it says on the way how far it is. */
const KILLS = Number(process.env['DRAY_CRASH_KILLS'] ?? 30);
const PROGRESS_EVERY = 25;
const WRITERS = 16;
const KEYS_PER_WRITER = 5;
const KILL_AFTER_MS_MAX = 600;

/** What a key holds: the content and the revision of the write, or nothing. */
interface State {
  readonly content: string | undefined;
  readonly revision: number;
}

const ABSENT: State = { content: undefined, revision: 0 };

/** Content that can be cut off, and would be noticed if it were: its length and a tail that both repeat the count. */
function contentOf(count: number): string {
  return `${String(count)}:${'x'.repeat(count % 3000)}:${String(count)}`;
}

function isWhole(content: string): boolean {
  return contentOf(Number.parseInt(content, 10)) === content;
}

/** One client that creates, changes and deletes its own keys, and knows what each must hold. */
class Writer {
  readonly #prefix: string;
  readonly #known = new Map<string, State>();
  /** The content of the write whose answer never came; undefined inside for a deletion. */
  #unanswered: { readonly key: string; readonly content: string | undefined } | undefined;
  readonly acknowledged: { readonly key: string; readonly revision: number }[] = [];

  constructor(index: number) {
    this.#prefix = `w${String(index)}`;
  }

  /** Writes until the server dies. */
  async write(client: RestClient, nextCount: () => number): Promise<void> {
    for (;;) {
      const count = nextCount();
      const key = `${this.#prefix}-${String(count % KEYS_PER_WRITER)}`;
      const known = this.#known.get(key) ?? ABSENT;
      const content = known.content !== undefined && count % 7 === 0 ? undefined : contentOf(count);
      this.#unanswered = { key, content };
      const revision = await this.#attempt(client, key, known, content).catch(() => undefined);
      if (revision === undefined) return;
      this.#unanswered = undefined;
      assert.ok(revision > known.revision, `${key}: revision ${String(revision)} after ${String(known.revision)}`);
      this.#known.set(key, { content, revision });
      if (content !== undefined) this.acknowledged.push({ key, revision });
    }
  }

  async #attempt(client: RestClient, name: string, known: State, content: string | undefined): Promise<number> {
    const metadata = { name, namespace: 'default' };
    if (content === undefined) {
      await client.delete(CONFIG_MAPS, name, { namespace: 'default', resourceVersion: String(known.revision) });
      return known.revision + 1;
    }
    const object: ConfigMap = { metadata, data: { content } };
    const written =
      known.content === undefined
        ? await client.create(CONFIG_MAPS, object)
        : await client.update(CONFIG_MAPS, { ...object, metadata: { ...metadata, resourceVersion: String(known.revision) } });
    return Number(written.metadata.resourceVersion);
  }

  /** Compares what is stored with what was acknowledged; the write without answer may have happened or not, but not by half. */
  check(stored: ReadonlyMap<string, State>): readonly string[] {
    const wrong: string[] = [];
    for (let place = 0; place < KEYS_PER_WRITER; place++) {
      const key = `${this.#prefix}-${String(place)}`;
      const found = stored.get(key) ?? ABSENT;
      const known = this.#known.get(key) ?? ABSENT;
      const asAcknowledged = found.content === known.content && (found.content === undefined || found.revision === known.revision);
      const asUnanswered = this.#unanswered?.key === key && found.content === this.#unanswered.content;
      if (!asAcknowledged && !asUnanswered) wrong.push(`${key}: acknowledged at ${String(known.revision)}, found at ${String(found.revision)}`);
      if (found.content !== undefined && !isWhole(found.content)) wrong.push(`${key}: half a write`);
      this.#known.set(key, found);
    }
    this.#unanswered = undefined;
    return wrong;
  }
}

/** One watch over all restarts: it asks for what comes after the last event that it saw. */
class Follower {
  readonly seen = new Map<string, number>();
  readonly wrong: string[] = [];
  expired = 0;
  #last: number;

  constructor(start: number) {
    this.#last = start;
  }

  /** Follows until the server dies. */
  async follow(client: RestClient): Promise<void> {
    try {
      for await (const { type, object } of client.watch(
        CONFIG_MAPS,
        { namespace: 'default', resourceVersion: String(this.#last) },
        AbortSignal.timeout(60_000),
      )) {
        const revision = Number(object.metadata.resourceVersion);
        if (revision <= this.#last) this.wrong.push(`${type} ${object.metadata.name ?? ''} at ${String(revision)} after ${String(this.#last)}`);
        this.#last = revision;
        if (type !== 'BOOKMARK' && type !== 'DELETED')
          this.seen.set(`${object.metadata.name ?? ''}@${String(revision)}`, (this.seen.get(`${object.metadata.name ?? ''}@${String(revision)}`) ?? 0) + 1);
      }
    } catch (error) {
      // A broken connection is what a crash looks like; lost history would have to be said.
      if (isExpired(error)) this.expired++;
    }
  }

  /** Resolves when the event of `revision` has arrived. */
  get last(): number {
    return this.#last;
  }
}

async function storedStates(client: RestClient): Promise<{ states: Map<string, State>; revision: number }> {
  const list = await client.list(CONFIG_MAPS, { namespace: 'default' });
  const states = new Map(
    list.items.map(({ metadata, data }) => [metadata.name ?? '', { content: data?.['content'] ?? '', revision: Number(metadata.resourceVersion) }]),
  );
  return { states, revision: Number(list.metadata.resourceVersion) };
}

test('an API server that is killed under load keeps what it acknowledged', (t: TestContext) =>
  inFolder(async (folder) => {
    t.diagnostic(`seed ${String(SEED)}`);
    const port = await freePort();
    const start = (): Dray => dray('apiserver', '--data-dir', folder, '--secure-port', String(port));
    const writers = Array.from({ length: WRITERS }, (_, index) => new Writer(index));
    const wrong: string[] = [];
    let count = 0;
    let newest = 0;
    let follower: Follower | undefined;
    for (let kill = 0; kill <= KILLS; kill++) {
      const server = start();
      const client = await readyClient(server, folder);
      const { states, revision } = await storedStates(client);
      if (revision < newest) wrong.push(`revision ${String(revision)} after ${String(newest)} was acknowledged`);
      for (const writer of writers) wrong.push(...writer.check(states));
      if (kill > 0 && kill % PROGRESS_EVERY === 0 && KILLS > 2 * PROGRESS_EVERY) console.log(`${String(kill)} kills, ${String(wrong.length)} violations`);
      follower ??= new Follower(revision);
      const following = follower.follow(client);
      if (kill === KILLS) await caughtUp(follower, newest);
      else {
        const writing = writers.map((writer) => writer.write(client, () => count++));
        await new Promise((resolve) => setTimeout(resolve, chance.below(KILL_AFTER_MS_MAX)));
        server.child.kill('SIGKILL');
        await Promise.all(writing);
      }
      server.child.kill('SIGKILL');
      await Promise.all([server.ended, following]);
      newest = Math.max(newest, ...writers.map((writer) => writer.acknowledged.at(-1)?.revision ?? 0));
    }
    const acknowledged = writers.flatMap((writer) => writer.acknowledged);
    for (const { key, revision } of acknowledged) {
      const times = follower?.seen.get(`${key}@${String(revision)}`) ?? 0;
      if (times !== 1 && follower?.expired === 0) wrong.push(`the watch saw ${key} of revision ${String(revision)} ${String(times)} times`);
    }
    t.diagnostic(
      `kill -9 of the API server: ${String(KILLS)} kills, ${String(acknowledged.length)} writes acknowledged, ${String(wrong.length + (follower?.wrong.length ?? 0))} violations`,
    );
    assert.deepEqual([...wrong, ...(follower?.wrong ?? [])].slice(0, 20), []);
    assert.ok(acknowledged.length > KILLS, 'there was something to lose');
  }));

async function caughtUp(follower: Follower, revision: number): Promise<void> {
  const untilMs = performance.now() + 10_000;
  while (follower.last < revision && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 10));
}
