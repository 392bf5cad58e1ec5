/** The node agent and a driver of the kit, over real unix sockets, around an API server in this process. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EVENTS, NODES, PODS, RESOURCE_SLICES } from '#client';
import { isNotFound } from '#machinery';
import { decodeCheckpoint } from '#nodeagent';
import { allocatedClaim, DRIVER, eventually, inWorld, NODE, podWithClaim } from './node-world.ts';

test('a pod with a claim runs with the variables of its device and gives the claim back', () =>
  inWorld(async ({ client, rootDir, startAgent, startDriver }) => {
    const { agent } = startAgent();
    const { plugin } = startDriver();
    await eventually('registration', async () => agent.drivers().includes(DRIVER) && plugin.registrationState()?.registered === true);
    const slice = await eventually('slice', async () => (await client.list(RESOURCE_SLICES)).items[0]);
    assert.equal(slice.spec.pool.generation, 1);
    assert.equal(slice.metadata.ownerReferences?.[0]?.kind, 'Node');
    assert.match(slice.metadata.name ?? '', /^00000-gpu\.example\.com-node-a-/);

    const podUid = await podWithClaim(client, 'p', ['/bin/sh', '-c', 'echo "I have $GPU"; exit 0']);
    const claimUid = await allocatedClaim(client, 'p-claim', podUid, 'p');
    const done = await eventually('end of the pod', async () => {
      const pod = await client.get(PODS, 'p', 'default');
      return pod.status?.phase === 'Succeeded' ? pod : undefined;
    });
    assert.equal(done.status?.containerStatuses?.[0]?.state?.terminated?.reason, 'Completed');
    assert.equal(readFileSync(join(rootDir, 'logs', podUid, 'main.log'), 'utf8'), 'I have gpu-1\n');
    await eventually('unprepare', async () => !plugin.preparedClaims().includes(claimUid));
    assert.deepEqual(decodeCheckpoint(readFileSync(join(rootDir, 'dra_manager_state'), 'utf8')), []);
    assert.deepEqual(readdirSync(join(rootDir, 'cdi')), []);
  }));

test('a failing command makes the pod Failed with its exit code', () =>
  inWorld(async ({ client, startAgent, startDriver }) => {
    startAgent();
    startDriver();
    const podUid = await podWithClaim(client, 'p', ['/bin/sh', '-c', 'exit 7']);
    await allocatedClaim(client, 'p-claim', podUid, 'p');
    const done = await eventually('end of the pod', async () => {
      const pod = await client.get(PODS, 'p', 'default');
      return pod.status?.phase === 'Failed' ? pod : undefined;
    });
    assert.equal(done.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 7);
  }));

test('a running pod survives a restart of node agent and driver, and its deletion unprepares the claim', () =>
  inWorld(async ({ client, rootDir, startAgent, startDriver }) => {
    const first = { agent: startAgent(), driver: startDriver() };
    const podUid = await podWithClaim(client, 'p', ['serve'], 'example.com/any:1');
    const claimUid = await allocatedClaim(client, 'p-claim', podUid, 'p');
    const running = await eventually('running pod', async () => {
      const pod = await client.get(PODS, 'p', 'default');
      return pod.status?.phase === 'Running' ? pod : undefined;
    });
    assert.deepEqual(
      running.status?.conditions
        ?.filter((c) => c.status === 'True')
        .map((c) => c.type)
        .sort(),
      ['ContainersReady', 'Initialized', 'PodReadyToStartContainers', 'Ready'],
    );
    const held = decodeCheckpoint(readFileSync(join(rootDir, 'dra_manager_state'), 'utf8'));
    assert.deepEqual(
      held.map((claim) => [claim.ClaimUID, Object.keys(claim.PodUIDs)]),
      [[claimUid, [podUid]]],
    );
    await first.agent.stop();
    await first.driver.stop();
    assert.equal(existsSync(join(rootDir, 'plugins_registry', `${DRIVER}-reg.sock`)), false);

    const { agent } = startAgent();
    const { plugin } = startDriver();
    await eventually('registration', async () => agent.drivers().includes(DRIVER));
    assert.deepEqual(plugin.preparedClaims(), [claimUid]);
    const still = await client.get(PODS, 'p', 'default');
    assert.equal(still.status?.phase, 'Running');
    assert.equal(still.status?.containerStatuses?.[0]?.restartCount, 0);

    await client.delete(PODS, 'p', { namespace: 'default' });
    await eventually('deletion', () =>
      client.get(PODS, 'p', 'default').then(
        () => undefined,
        (error: unknown) => isNotFound(error),
      ),
    );
    assert.deepEqual(plugin.preparedClaims(), []);
    await eventually('removal of the files', async () => !existsSync(join(rootDir, 'bundles', podUid)));
  }));

test('a log that is followed ends with its container, and one that is not there yet says why', () =>
  inWorld(async ({ client, startAgent }) => {
    const { agent } = startAgent();
    const create = (name: string, command: readonly string[], claims = {}): Promise<unknown> =>
      client.create(PODS, {
        metadata: { name, namespace: 'default' },
        spec: { nodeName: NODE, restartPolicy: 'Never', containers: [{ name: 'main', image: 'dray.local/sh', command: [...command] }], ...claims },
      });
    await create('talker', ['/bin/sh', '-c', 'echo one; sleep 0.7; echo two']);
    const read = async (pod: string): Promise<string> =>
      Buffer.concat(await Array.fromAsync(await agent.logs({ namespace: 'default', pod, follow: true }))).toString();
    assert.equal(await eventually('the whole log', () => read('talker')), 'one\ntwo\n');
    assert.equal(await read('talker'), 'one\ntwo\n', 'also once it is over');
    await create('waiter', ['true'], { resourceClaims: [{ name: 'gpu', resourceClaimName: 'missing' }] });
    await eventually('the refusal', async () => {
      await assert.rejects(read('waiter'), { code: 400, message: 'container "main" in pod "waiter" is waiting to start: ContainerCreating' });
      return true;
    });
    await assert.rejects(read('nobody'), { code: 404 });
  }));

test('a pod that found no free address can be deleted, and one on the network of its host needs none', () =>
  inWorld(async ({ client, startAgent }) => {
    startAgent();
    await eventually('the node', () => client.get(NODES, NODE));
    // Room for one pod.
    await client.patch(NODES, NODE, { type: 'merge', body: { spec: { podCIDR: '10.0.0.0/30' } } });
    const create = (name: string, hostNetwork: boolean): Promise<unknown> =>
      client.create(PODS, {
        metadata: { name, namespace: 'default' },
        spec: { nodeName: NODE, hostNetwork, containers: [{ name: 'main', image: 'example.com/any:1' }] },
      });
    const address = (name: string): Promise<string> =>
      eventually(`the address of ${name}`, async () => (await client.get(PODS, name, 'default')).status?.podIP);
    await create('first', false);
    assert.equal(await address('first'), '10.0.0.2');
    await create('second', false);
    await eventually('the event', async () =>
      (await client.list(EVENTS)).items.some(
        ({ reason, message }) =>
          reason === 'FailedCreatePodSandBox' && message === 'Failed to create pod sandbox: no address of 10.0.0.0/30 is free for another pod',
      ),
    );
    await create('host', true);
    assert.equal(await address('host'), '127.0.0.1');
    await client.delete(PODS, 'second', { namespace: 'default' });
    await eventually('the end of the second', () =>
      client.get(PODS, 'second', 'default').then(
        () => false,
        (error: unknown) => isNotFound(error),
      ),
    );
  }));
