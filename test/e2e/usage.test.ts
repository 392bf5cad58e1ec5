/** What cannot be understood is answered with one sentence that names it, exit code 1 and nothing made on disk. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { dray, inFolder } from './dray.ts';

const wrong: readonly (readonly [string, RegExp])[] = [
  ['up --feature-gates NoSuch=true', /^dray: --feature-gates NoSuch: Kubernetes 1\.36 has no such feature gate here$/],
  [
    'apiserver --feature-gates DRADeviceTaint=true',
    /^dray: --feature-gates DRADeviceTaint: Kubernetes 1\.36 has no such feature gate here; did you mean DRADeviceTaints, DRADeviceTaintRules.*\?$/,
  ],
  [
    'up --feature-gates DRAAdminAccess=maybe',
    /^dray: --feature-gates DRAAdminAccess=maybe: "DRAAdminAccess=maybe" is not DRAAdminAccess=true or DRAAdminAccess=false$/,
  ],
  [
    'up --feature-gates DynamicResourceAllocation=false',
    /^dray: --feature-gates: cannot set feature gate DynamicResourceAllocation to false, feature is locked to true$/,
  ],
  [
    'up --emulated-version 1.32 --feature-gates DRADeviceTaints=true',
    /^dray: --feature-gates DRADeviceTaints: Kubernetes 1\.32 has no such feature gate here.*$/,
  ],
  ['up --emulated-version 1.99', /^dray: --emulated-version 1\.99: dray emulates 1\.31 to 1\.37$/],
  ['apiserver --emulated-version 1.20', /^dray: --emulated-version 1\.20: dray emulates 1\.31 to 1\.37$/],
  [
    'up --runtime-config resource.k8s.io/v1beta7=true',
    /^dray: --runtime-config resource\.k8s\.io\/v1beta7=true: dray has no API "resource\.k8s\.io\/v1beta7"; did you mean resource\.k8s\.io\/v1beta2, .*\?$/,
  ],
  ['apiserver --authorization-mode RBAC,Nod', /^dray: --authorization-mode RBAC,Nod: dray has no authorization mode "Nod"; did you mean Node.*\?$/],
  ['up --enable-admission-plugins PodSecurity', /^dray: --enable-admission-plugins PodSecurity: dray has no admission plugin "PodSecurity"/],
  ['apiserver --max-requests-inflight many', /^dray: --max-requests-inflight many: not a whole number from 0 on$/],
  ['controller-manager --kubeconfig k --root-ca-file nowhere.crt', /^dray: --root-ca-file nowhere\.crt: ENOENT/],
  [`controller-manager --kubeconfig k --root-ca-file ${import.meta.filename}`, /^dray: --root-ca-file \S+: there is no certificate in PEM$/],
  ['scheduler --kubeconfig k --leader-elect-lease-duration long', /^dray: --leader-elect-lease-duration long: not a duration such as 15s$/],
  ['up --emulated-version 1.33', /^dray: --emulated-version 1\.33 leaves out resource\.k8s\.io\/v1, which the driver speaks; start without it: .*$/],
  ['up --components web', /^dray: --components web: "web" is none of apiserver, scheduler, controller-manager, nodeagent, driver$/],
  ['up --components scheduler', /^dray: without the component apiserver --kubeconfig must name one to use$/],
  ['up --nodes 0', /^dray: --nodes 0: not a number of nodes from 1 to 1000$/],
  ['up --nodes two', /^dray: --nodes two: not a number of nodes /],
  ['up --devices tpu', /^dray: "tpu" is neither a device file nor one of the presets gpu, showcase$/],
  ['up --store redis', /^dray: --store redis: Allowed choices are sqlite, memory\.$/],
  ['up --secure-port 70000', /^dray: --secure-port 70000: not a port from 0 to 65535$/],
  ['up --bind-address localhost', /^dray: --bind-address localhost: not an IP address$/],
  ['apiserver --bind-address fe80::1%eth0', /^dray: --bind-address fe80::1%eth0: an address with a zone cannot be served$/],
  ['apiserver --anonymous-auth perhaps', /^dray: --anonymous-auth perhaps: neither true nor false$/],
  ['up --onse', /^dray: unknown option '--onse' \(Did you mean --once\?\)$/],
  ['up now', /^dray: too many arguments for 'up'\. Expected 0 arguments but got 1: now\.$/],
  ['upp', /^dray: unknown command 'upp' \(Did you mean up\?\)$/],
  ['kubelet', /^dray: unknown command 'kubelet'$/],
  ['driver walk', /^dray: unknown command 'walk'/],
  ['scheduler', /^dray: required option '--kubeconfig <file>' not specified$/],
  ['driver run gpu --kubeconfig k', /^dray: required option '--root-dir <dir>' not specified$/],
  ['get', /^dray: missing required argument 'type'$/],
  ['get pods -o xml', /^dray: --output xml: Allowed choices are wide, yaml, json, name\.$/],
  ['delete', /^dray: name what to delete: TYPE NAME…, TYPE\/NAME… or -f FILE…$/],
  ['delete pods web -f pod.yaml', /^dray: name objects or files, not both$/],
  ['apply', /^dray: required option '-f, --filename <files\.\.\.>' not specified$/],
  ['logs web --tail many', /^dray: --tail many: not a whole number from 0 on$/],
];

/** Runs the command in an empty folder; what it left there is a failure. */
function refused(commandLine: readonly string[], expected: RegExp): Promise<void> {
  return inFolder(async (folder) => {
    const { code, stdout, stderr } = await dray({ cwd: folder }, ...commandLine).ended;
    assert.match(stderr.replace(/\n$/, ''), expected);
    assert.equal(stdout, '');
    assert.equal(code, 1);
    assert.equal(existsSync(join(folder, '.dray')), false, 'nothing was made');
  });
}

for (const [commandLine, expected] of wrong) test(`dray ${commandLine}`, () => refused(commandLine.split(' '), expected));

for (const word of ['--version', 'version']) {
  test(`dray ${word} says which dray and which Kubernetes`, () =>
    inFolder(async (folder) => {
      const { code, stdout, stderr } = await dray({ cwd: folder }, word).ended;
      assert.match(stdout, /^dray \d+\.\d+\.\d+, Kubernetes 1\.36\n$/);
      assert.deepEqual([code, stderr], [0, '']);
    }));
}

test('a token file with a malformed line is named with the line', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'tokens.csv');
    writeFileSync(file, 'secret,admin,admin,"system:masters"\nsecret-without-user\n');
    const { code, stderr } = await dray('apiserver', '--data-dir', join(folder, 'data'), '--token-auth-file', file).ended;
    assert.equal(stderr, `dray: --token-auth-file ${file}: line 2 is not token,user,uid or token,user,uid,"group,group"\n`);
    assert.equal(code, 1);
  }));

test('a token file that is not there is named', () =>
  refused(['apiserver', '--token-auth-file', '/nowhere/tokens'], /^dray: --token-auth-file \/nowhere\/tokens: cannot read the file: ENOENT/));

test('whatever is typed, the answer is help or one line, never a stack trace', { timeout: 120_000 }, () => {
  const word = fc.oneof(
    fc.constantFrom(
      'up',
      'apiserver',
      'get',
      'apply',
      'delete',
      'logs',
      'driver',
      'run',
      'help',
      '--',
      '-',
      '-f',
      '-A',
      '-v',
      '--nodes',
      '--kubeconfig',
      '--data-dir=/proc/x',
      '=',
      '',
    ),
    fc.string({ maxLength: 12, unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
  );
  return fc.assert(
    fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 4 }), (words) =>
      inFolder(async (folder) => {
        // A cluster would start, and stay: its data directory cannot be made.
        const { code, stdout, stderr } = await dray({ cwd: '/proc', env: { HOME: folder, KUBECONFIG: '' } }, ...words).ended;
        assert.ok(code === 0 || code === 1, `exit code ${String(code)}`);
        assert.doesNotMatch(stderr + stdout, /^ +at /m);
        if (code === 1) assert.ok(/^dray: .+\n$/.test(stderr) || stderr.startsWith('Usage: '), stderr);
      }),
    ),
    { numRuns: 30 },
  );
});
