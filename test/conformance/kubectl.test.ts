/** kubectl prints what it printed against kube-apiserver v1.36.3: recorded sessions, played with the kubectl of the machine. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { dray, type Dray, freePort, inFolder, readyClient } from '../e2e/dray.ts';
import { PROFILES } from './http-player.ts';
import { differingCommands, findKubectl, RECORDED_MINOR } from './kubectl-player.ts';

const SESSIONS = new URL('../vectors/kubectl/', import.meta.url);
const TOKEN = 'T';

/** Sessions in which commands still print something else, and how many at most. */
const KNOWN: ReadonlyMap<string, number> = new Map([['create-and-errors', 1]]);

const kubectl = await findKubectl();

describe(
  'recorded kubectl sessions',
  { skip: kubectl === undefined ? `no kubectl 1.${RECORDED_MINOR} on this machine (DRAY_KUBECTL names one)` : false },
  () => {
    let server = '';
    let process: Dray;
    let finish = (): void => {};
    let folderGone: Promise<void>;

    before(async () => {
      const port = String(await freePort());
      server = `https://127.0.0.1:${port}`;
      const started = Promise.withResolvers<void>();
      folderGone = inFolder(async (folder) => {
        const tokens = join(folder, 'tokens.csv');
        writeFileSync(tokens, `${TOKEN},admin,admin,"system:masters"\n`);
        const gates = Object.entries(PROFILES.full.gates)
          .map(([gate, value]) => `${gate}=${String(value)}`)
          .join(',');
        // The recorded server had no service account controller.
        const release = [
          '--disable-admission-plugins',
          'ServiceAccount',
          '--emulated-version',
          '1.36',
          '--runtime-config',
          'api/all=true',
          '--feature-gates',
          gates,
        ];
        process = dray('apiserver', '--data-dir', folder, '--store', 'memory', '--secure-port', port, '--token-auth-file', tokens, ...release);
        await readyClient(process, folder).then(() => started.resolve(), started.reject);
        await new Promise<void>((resolve) => (finish = resolve));
        process.child.kill('SIGTERM');
        await process.ended;
      });
      await started.promise;
    });

    after(async () => {
      finish();
      await folderGone;
    });

    for (const file of readdirSync(SESSIONS).sort()) {
      const name = file.replace('.txt', '');
      const known = KNOWN.get(name) ?? 0;
      test(known === 0 ? `${name}: every command prints what was recorded` : `${name}: at most the ${String(known)} known commands differ`, async () => {
        const differences = await differingCommands(readFileSync(new URL(file, SESSIONS), 'utf8'), { kubectl: kubectl ?? '', server, token: TOKEN });
        if (known === 0) assert.deepEqual(differences, []);
        else assert.ok(differences.length <= known, differences.map(({ command }) => command).join('; '));
      });
    }
  },
);
