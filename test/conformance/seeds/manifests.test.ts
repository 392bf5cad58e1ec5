/**
 * Every manifest that the articles print, in up to three forms: as printed; restored, that is with lost indentation and what "..." stands
 * for put back, but with its mistakes; and corrected, as it runs a pod. All on one `dray up` without further flags.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { DEVICE_CLASSES, PODS, RESOURCE_CLAIMS, RESOURCE_CLAIM_TEMPLATES, RESOURCE_SLICES } from '#client';
import { isNotFound } from '#machinery';
import { eventually, KUBECTL, manifest, SeedCluster } from './cluster.ts';

const NAMELESS = 'metadata.name: Required value: name or generateName is required';
const CLAIMS_V1 = '/apis/resource.k8s.io/v1/namespaces/default/resourceclaims';

let cluster: SeedCluster;
before(async () => {
  cluster = await SeedCluster.start();
});
after(() => cluster.stop());

/** Applies manifests of this folder one after another; each must be created. */
async function applied(namespace: string, ...names: readonly string[]): Promise<void> {
  for (const name of names) await appliedText(namespace, manifest(name));
}

async function appliedText(namespace: string, text: string): Promise<void> {
  const { code, output } = await cluster.apply(text, namespace);
  assert.equal(code, 0, output);
  assert.match(output, / (created|configured|unchanged)$/m);
}

/** The server refuses the manifest with exactly this message. */
async function refused(path: string, name: string, message: string | RegExp): Promise<void> {
  const { code, message: got } = await cluster.post(path, manifest(name));
  assert.ok(code === 400 || code === 422, `${name}: ${String(code)}`);
  if (typeof message === 'string') assert.equal(got, message);
  else assert.match(got ?? '', message);
}

const devicesOf = async (namespace: string, claim: string): Promise<readonly string[]> =>
  (await cluster.results(namespace, claim)).map(({ driver, device }) => `${driver}/${device}`);

/** The claim that was made for a pod from a template. */
async function generatedClaim(namespace: string, pod: string): Promise<string> {
  const statuses = (await cluster.client.get(PODS, pod, namespace)).status?.resourceClaimStatuses ?? [];
  return statuses[0]?.resourceClaimName ?? '';
}

test('each printed form of the folder is played below', () => {
  const printed = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.printed.yaml'));
  assert.equal(printed.length, 12);
});

describe('introduction to DRA (v1alpha3)', () => {
  before(() => cluster.addDriver('device.com'));

  test('the DeviceClass works as printed', async () => {
    await applied('default', '01-device-class.printed.yaml');
    const { spec } = await cluster.client.get(DEVICE_CLASSES, 'device.com');
    assert.equal(spec.selectors?.[0]?.cel?.expression, 'device.driver == "device.com"');
  });

  test('the ResourceClaim works as printed and reads as v1', async () => {
    await applied('default', '02-claim.printed.yaml');
    const { spec } = await cluster.client.get(RESOURCE_CLAIMS, 'claim1', 'default');
    const exactly = { deviceClassName: 'device.com', allocationMode: 'ExactCount', count: 1 };
    assert.deepEqual(spec.devices?.requests, [{ name: 'gpu', exactly }]);
  });

  test('a claim with spec.controller is refused when fields are checked strictly, else it loses the field with a warning', async () => {
    const path = '/apis/resource.k8s.io/v1alpha3/namespaces/default/resourceclaims';
    const classic = manifest('02-claim.printed.yaml', { 'spec:': 'spec:\n  controller: device.com', claim1: 'classic' });
    const strict = await cluster.post(path, classic);
    assert.match(strict.message ?? '', /strict decoding error: unknown field "spec\.controller"$/);
    const { warning } = await cluster.post(path, classic, { fieldValidation: 'Warn' });
    assert.match(warning ?? '', /unknown field \\"spec\.controller\\"/);
    assert.deepEqual(Object.keys((await cluster.client.get(RESOURCE_CLAIMS, 'classic', 'default')).spec), ['devices']);
  });

  test('the ResourceClaimTemplate works as printed', async () => {
    await applied('default', '03-template.printed.yaml');
    const { spec } = await cluster.client.get(RESOURCE_CLAIM_TEMPLATES, 'claim1', 'default');
    assert.equal(spec.spec.devices?.requests?.[0]?.exactly?.deviceClassName, 'device.com');
  });

  test('the ResourceSlice works as printed, though no node is called node1', async () => {
    await applied('default', '04-slice.printed.yaml');
    const { spec } = await cluster.client.get(RESOURCE_SLICES, 'slice1');
    assert.deepEqual(spec.devices?.[0]?.capacity, { memory: { value: '16288Mi' }, millicores: { value: '1k' } });
    await cluster.inNamespace('intro-printed', async (namespace) => {
      await applied(namespace, '02-claim.printed.yaml', '05-pod.corrected.yaml');
      assert.match(await cluster.refusal(namespace, 'test-claim'), /^0\/2 nodes are available: 2 cannot allocate all claims\./);
    });
    await cluster.client.delete(RESOURCE_SLICES, 'slice1');
  });

  test('the pod as printed waits for a claim that does not exist, and runs when it does', () =>
    cluster.inNamespace('intro-pod', async (namespace) => {
      await applied(namespace, '05-pod.printed.yaml');
      assert.equal((await cluster.client.get(PODS, 'test-claim', namespace)).spec?.nodeName, undefined);
      await applied('default', '04-slice.corrected.yaml');
      await appliedText(namespace, manifest('02-claim.printed.yaml', { claim1: 'zzzz' }));
      assert.equal((await cluster.running(namespace, 'test-claim')).spec?.nodeName, 'node-1');
      assert.deepEqual(await devicesOf(namespace, 'zzzz'), ['device.com/0000-03-00-0-0x56a0']);
    }));

  test('class, claim, corrected slice and corrected pod run together', () =>
    cluster.inNamespace('intro-corrected', async (namespace) => {
      await applied(namespace, '04-slice.corrected.yaml', '02-claim.printed.yaml', '05-pod.corrected.yaml');
      await cluster.running(namespace, 'test-claim');
      assert.deepEqual(await devicesOf(namespace, 'claim1'), ['device.com/0000-03-00-0-0x56a0']);
      await cluster.log(namespace, 'test-claim', /^GPU_DEVICE_0000_03_00_0_0x56a0=0000-03-00-0-0x56a0$/m);
    }));

  test('the template gives a pod a claim of its own, which goes with the pod', () =>
    cluster.inNamespace('intro-template', async (namespace) => {
      await applied(namespace, '04-slice.corrected.yaml', '03-template.printed.yaml');
      await appliedText(namespace, manifest('05-pod.corrected.yaml', { 'resourceClaimName: claim1': 'resourceClaimTemplateName: claim1' }));
      await cluster.running(namespace, 'test-claim');
      const claim = await generatedClaim(namespace, 'test-claim');
      assert.match(claim, /^test-claim-resource-\w{5}$/);
      assert.deepEqual(await devicesOf(namespace, claim), ['device.com/0000-03-00-0-0x56a0']);
      await cluster.client.delete(PODS, 'test-claim', { namespace });
      await eventually(() =>
        cluster.client.get(RESOURCE_CLAIMS, claim, namespace).then(
          () => undefined,
          (error: unknown) => (isNotFound(error) ? true : undefined),
        ),
      );
    }));
});

describe('article on DRA (v1beta1)', () => {
  const memory = (value: string): { memory: { value: string } } => ({ memory: { value } });
  before(() =>
    cluster.addDriver('gpu-driver.example.com', [
      { name: 'gpu-0', capacity: memory('24Gi') },
      { name: 'gpu-1', capacity: memory('8Gi') },
      { name: 'gpu-2', capacity: memory('16Gi') },
    ]),
  );

  test('the DeviceClass as printed, without indentation, is refused with its unknown fields', async () => {
    const unknown = 'strict decoding error: unknown field "expression", unknown field "name", unknown field "selectors"';
    const message = `DeviceClass in version "v1beta1" cannot be handled as a DeviceClass: ${unknown}`;
    await refused('/apis/resource.k8s.io/v1beta1/deviceclasses', '06-beta-class.printed.yaml', message);
    const { code, output } = await cluster.apply(manifest('06-beta-class.printed.yaml'));
    assert.equal(code, 1);
    assert.match(output, KUBECTL ? /resource name may not be empty/ : /the object has no metadata/);
  });

  test('the ResourceClaimTemplate as printed is no YAML', async () => {
    const path = '/apis/resource.k8s.io/v1beta1/namespaces/default/resourceclaimtemplates';
    await refused(path, '07-beta-template.printed.yaml', /^the object provided is unrecognized \(must be of type ResourceClaimTemplate\): yaml: line 14: /);
  });

  test('the pod as printed, without indentation, is refused with its unknown fields', async () => {
    const names = ['claims', 'command', 'containers', 'image', 'name', 'resourceClaimTemplateName', 'resourceClaims', 'resources'];
    const unknown = names.map((name) => `unknown field "${name}"`).join(', ');
    const message = `Pod in version "v1" cannot be handled as a Pod: strict decoding error: ${unknown}`;
    await refused('/api/v1/namespaces/default/pods', '08-stock-pod.printed.yaml', message);
  });

  test('with indentation all three are accepted, but the selector asks an attribute for what is a capacity', () =>
    cluster.inNamespace('article-restored', async (namespace) => {
      await applied(namespace, '06-beta-class.restored.yaml', '07-beta-template.restored.yaml', '08-stock-pod.restored.yaml');
      const refusal = await cluster.refusal(namespace, 'stock-prediction-pod');
      const claim = await generatedClaim(namespace, 'stock-prediction-pod');
      assert.ok(refusal.startsWith(`running "DynamicResources" filter plugin: claim ${namespace}/${claim}: selector #0`), refusal);
      assert.match(refusal, /: CEL runtime error: no such key: memory/);
    }));

  test('the corrected template gives the pod two GPUs with at least 16Gi each', () =>
    cluster.inNamespace('article-corrected', async (namespace) => {
      await applied(namespace, '06-beta-class.restored.yaml', '07-beta-template.corrected.yaml', '08-stock-pod.restored.yaml');
      await cluster.running(namespace, 'stock-prediction-pod');
      const devices = await devicesOf(namespace, await generatedClaim(namespace, 'stock-prediction-pod'));
      assert.deepEqual([...devices].sort(), ['gpu-driver.example.com/gpu-0', 'gpu-driver.example.com/gpu-2']);
    }));
});

describe('consumable capacity (v1)', () => {
  before(async () => {
    await cluster.addDriver('resource.example.com');
    await cluster.addClass('resource.example.com');
  });

  test('the ResourceSlice as printed ends at "..." and has no name', async () => {
    const rest = [
      'spec.driver: Required value',
      'spec.pool.name: Required value',
      'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
      'spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
    ].join(', ');
    const path = '/apis/resource.k8s.io/v1/resourceslices';
    await refused(path, '09-capacity-slice.printed.yaml', `ResourceSlice.resource.k8s.io "" is invalid: [${NAMELESS}, ${rest}]`);
    await refused(path, '09-capacity-slice.restored.yaml', `ResourceSlice.resource.k8s.io "shared-gpus" is invalid: [${rest}]`);
  });

  test('the ResourceClaim as printed ends at "..." and has no name', () =>
    refused(CLAIMS_V1, '10-capacity-claim.printed.yaml', `ResourceClaim.resource.k8s.io "" is invalid: ${NAMELESS}`));

  test('the ResourceClaim with its name put back has a list where an object belongs', () =>
    refused(
      CLAIMS_V1,
      '10-capacity-claim.restored.yaml',
      'ResourceClaim in version "v1" cannot be handled as a ResourceClaim: json: cannot unmarshal array into Go struct field DeviceRequest.spec.devices.requests.exactly of type v1.ExactDeviceRequest',
    ));

  test('the selectors as printed are no object by themselves', async () => {
    const message = 'DeviceClass in version "v1" cannot be handled as a DeviceClass: strict decoding error: unknown field "selectors"';
    await refused('/apis/resource.k8s.io/v1/deviceclasses', '11-capacity-selectors.printed.yaml', message);
  });

  test('four corrected claims of 10Gi fill the device of 40Gi, each with a share of its own; the fifth waits', () =>
    cluster.inNamespace('capacity-filled', async (namespace) => {
      await applied(namespace, '09-capacity-slice.corrected.yaml');
      const shares = new Set<string | undefined>();
      for (const name of ['a', 'b', 'c', 'd']) {
        await runClaim(namespace, '10-capacity-claim.corrected.yaml', { 'ten-gib': name });
        const [result] = await cluster.results(namespace, name);
        assert.deepEqual([result?.device, result?.consumedCapacity], ['gpu0', { memory: '10Gi' }]);
        shares.add(result?.shareID);
      }
      assert.equal(shares.size, 4);
      assert.ok(!shares.has(undefined));
      await applyClaim(namespace, '10-capacity-claim.corrected.yaml', { 'ten-gib': 'e' });
      assert.match(await cluster.refusal(namespace, 'e'), /^0\/2 nodes are available: 2 cannot allocate all claims\./);
    }));

  test('a claim that says no amount gets the 5Gi of the policy, and 7Gi are rounded up to 10Gi', () =>
    cluster.inNamespace('capacity-policy', async (namespace) => {
      await applied(namespace, '09-capacity-slice.corrected.yaml');
      await runClaim(namespace, '10-capacity-claim.corrected.yaml', { 'ten-gib': 'odd', 'memory: 10Gi': 'memory: 7Gi' });
      assert.deepEqual((await cluster.results(namespace, 'odd'))[0]?.consumedCapacity, { memory: '10Gi' });
      await runClaim(namespace, '02-claim.printed.yaml', { claim1: 'silent', 'device.com': 'resource.example.com' });
      assert.deepEqual((await cluster.results(namespace, 'silent'))[0]?.consumedCapacity, { memory: '5Gi' });
    }));

  test('a device that is not shared is consumed whole, unless the corrected selectors pass it over', () =>
    cluster.inNamespace('capacity-selectors', async (namespace) => {
      await applied(namespace, '09-capacity-slice.corrected.yaml');
      const whole = { 'name: shared-gpus': 'name: whole-gpus', 'name: gpu0': 'name: whole', '    allowMultipleAllocations: true\n': '' };
      await appliedText(namespace, wholeSlice(manifest('09-capacity-slice.corrected.yaml', whole)));
      const onlyWhole = { 'device.allowMultipleAllocations == true': 'device.allowMultipleAllocations == false' };
      await runClaim(namespace, '11-capacity-selectors.corrected.yaml', { ...onlyWhole, shareable: 'first' });
      const [result] = await cluster.results(namespace, 'first');
      assert.deepEqual([result?.device, result?.shareID, result?.consumedCapacity], ['whole', undefined, undefined]);
      await applyClaim(namespace, '11-capacity-selectors.corrected.yaml', { ...onlyWhole, shareable: 'second' });
      assert.match(await cluster.refusal(namespace, 'second'), /cannot allocate all claims/);
      await runClaim(namespace, '11-capacity-selectors.corrected.yaml');
      assert.equal((await cluster.results(namespace, 'shareable'))[0]?.device, 'gpu0');
    }));

  /** Applies a claim and a pod of the same name that uses it. */
  async function applyClaim(namespace: string, name: string, edits: Readonly<Record<string, string>> = {}): Promise<string> {
    const claim = manifest(name, edits);
    const claimName = /^ {2}name: (\S+)$/m.exec(claim)?.[1] ?? '';
    await appliedText(namespace, claim);
    await appliedText(
      namespace,
      manifest('05-pod.corrected.yaml', { 'name: test-claim': `name: ${claimName}`, 'resourceClaimName: claim1': `resourceClaimName: ${claimName}` }),
    );
    return claimName;
  }

  async function runClaim(namespace: string, name: string, edits: Readonly<Record<string, string>> = {}): Promise<void> {
    await cluster.running(namespace, await applyClaim(namespace, name, edits));
  }
});

/** Devices that are not shared have no request policy. */
function wholeSlice(text: string): string {
  return text.replace(/ {8}requestPolicy:[^]*$/, '');
}

describe('summary of consumable capacity (v1)', () => {
  test('the ResourceClaim of the summary as printed ends at "..." and has no name', () =>
    refused(CLAIMS_V1, '12-summary-claim.printed.yaml', `ResourceClaim.resource.k8s.io "" is invalid: ${NAMELESS}`));

  test('the ResourceClaim with indentation is refused for "deices"', async () => {
    const refusal = 'ResourceClaim in version "v1" cannot be handled as a ResourceClaim:';
    await refused(CLAIMS_V1, '12-summary-claim.restored.yaml', `${refusal} strict decoding error: unknown field "spec.deices"`);
    const { message } = await cluster.post(CLAIMS_V1, manifest('12-summary-claim.restored.yaml', { deices: 'devices' }));
    const field = 'CapacityRequirements.spec.devices.requests.exactly.capacity.requests';
    assert.equal(message, `${refusal} json: cannot unmarshal string into Go struct field ${field} of type map[v1.QualifiedName]resource.Quantity`);
  });

  test('the corrected ResourceClaim gives a pod 10Gi of the shared device', () =>
    cluster.inNamespace('summary', async (namespace) => {
      await applied(namespace, '09-capacity-slice.corrected.yaml', '12-summary-claim.corrected.yaml');
      await appliedText(namespace, manifest('05-pod.corrected.yaml', { 'resourceClaimName: claim1': 'resourceClaimName: summary' }));
      await cluster.running(namespace, 'test-claim');
      const [result] = await cluster.results(namespace, 'summary');
      assert.deepEqual([result?.device, result?.consumedCapacity], ['gpu0', { memory: '10Gi' }]);
    }));
});
