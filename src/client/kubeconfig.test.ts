/** Tests of kubeconfig reading. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKubeconfig } from './kubeconfig.ts';

const CONFIG = `
current-context: main
contexts:
- {name: main, context: {cluster: c, user: u, namespace: team}}
- {name: plugin, context: {cluster: c, user: plugin}}
- {name: broken, context: {cluster: nowhere, user: u}}
clusters:
- {name: c, cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: ${btoa('CA')}}}
users:
- {name: u, user: {client-certificate-data: ${btoa('CERT')}, client-key: key.pem, token: t}}
- {name: plugin, user: {exec: {command: aws}}}
`;

test('the current context gives server, trust and identity', async () => {
  const connection = await parseKubeconfig(CONFIG);
  assert.equal(connection.server, 'https://127.0.0.1:6443');
  assert.equal(connection.namespace, 'team');
  assert.deepEqual([connection.caPem, connection.certPem, connection.keyFile, connection.token], ['CA', 'CERT', 'key.pem', 't']);
});

test('each way to be unusable is said in one sentence', async () => {
  await assert.rejects(parseKubeconfig(CONFIG, 'broken'), { name: 'KubeconfigError', message: 'The kubeconfig has no entry "nowhere" in clusters.' });
  await assert.rejects(parseKubeconfig(CONFIG, 'plugin'), /^KubeconfigError: User "plugin" of the kubeconfig needs an exec plugin/);
  await assert.rejects(parseKubeconfig('a: [', 'main'), /^KubeconfigError: The kubeconfig is not valid YAML: [^\n]*$/);
  await assert.rejects(parseKubeconfig('just text'), { message: 'The kubeconfig is not a YAML mapping.' });
  await assert.rejects(parseKubeconfig('clusters: []'), { message: 'The kubeconfig names no current-context.' });
  await assert.rejects(parseKubeconfig(CONFIG.replace(btoa('CA'), '"%%"')), { message: 'Field certificate-authority-data of the kubeconfig is not base64.' });
});
