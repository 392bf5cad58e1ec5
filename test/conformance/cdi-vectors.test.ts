/** Runs the recorded answers of the CDI reference library (test/vectors/cdi). */
import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { annotateDevices, CdiCache, minimumVersion, parseDeviceAnnotations, parseQualifiedName, parseSpec, specFileName, validateSpec } from '#cdi';
import { NodeHostFiles } from '../../src/platform/host-files.ts';

// Vectors are JSON of known shape; each reader below picks the members its kind has.
type Vector = { name: string; kind: string; input: Record<string, unknown> & string; expected: Record<string, unknown> & { ok: boolean } };

function vectors(file: string): Vector[] {
  return JSON.parse(gunzipSync(readFileSync(join(import.meta.dirname, '../vectors/cdi', `${file}.json.gz`))).toString()) as Vector[];
}

/** Runs `action`; its value, or undefined and the error when it throws. */
async function outcome<T>(action: () => T | Promise<T>): Promise<{ ok: true; value: T } | { ok: false; error: Error }> {
  try {
    return { ok: true, value: await action() };
  } catch (error) {
    return { ok: false, error: error as Error };
  }
}

const checks: Record<string, (vector: Vector) => Promise<void>> = {
  async 'qualified-name'(vector) {
    const result = await outcome(() => parseQualifiedName(vector.input));
    assert.equal(result.ok, vector.expected.ok);
    if (result.ok) assert.deepEqual(result.value, { vendor: vector.expected['vendor'], class: vector.expected['class'], device: vector.expected['device'] });
    else assert.equal(result.error.message, vector.expected['error']);
  },
  async 'file-name'(vector) {
    const input = vector.input as unknown as { vendor: string; class: string; transient?: string };
    // The library's name still has the slash, its writer replaces it: names here are ready to be written.
    assert.equal(specFileName(input.vendor, input.class, input.transient), vector.expected as unknown as string);
  },
  async spec(vector) {
    const input = vector.input as unknown as { spec?: unknown; text?: string; file?: string };
    const text = input.text ?? JSON.stringify(input.spec);
    const parsed = await outcome(() => parseSpec(text, 'spec.json'));
    if (parsed.ok && vector.expected['minimumVersion'] !== undefined) assert.equal(minimumVersion(parsed.value), vector.expected['minimumVersion']);
    const loaded = parsed.ok ? await outcome(() => validateSpec(parsed.value)) : parsed;
    const expectedOk = vector.expected['panic'] === undefined && vector.expected.ok;
    // Which endings are read is the directory's matter, not the text's.
    assert.equal(loaded.ok, expectedOk, loaded.ok ? 'was accepted' : loaded.error.message);
    const text_ = String(vector.expected['error'] ?? '');
    if (!loaded.ok && text_.startsWith('invalid CDI Spec')) assert.equal(loaded.error.message, text_);
  },
  async inject(vector) {
    const input = vector.input as unknown as { directories: Record<string, unknown>[]; devices: string[]; oci: Record<string, unknown> | null };
    if (input.oci === null || input.oci === undefined) return;
    const root = mkdtempSync(join(tmpdir(), 'cdi-'));
    try {
      const directories = (input.directories ?? []).map((content, i) => {
        const directory = join(root, String(i));
        mkdirSync(directory);
        for (const [name, spec] of Object.entries(content)) {
          mkdirSync(join(directory, name, '..'), { recursive: true });
          writeFileSync(join(directory, name), typeof spec === 'string' ? spec : JSON.stringify(spec));
        }
        return directory;
      });
      const cache = new CdiCache(new NodeHostFiles(), directories);
      await cache.refresh();
      assert.deepEqual(cache.devices(), vector.expected['devices'] ?? []);
      assert.deepEqual([...cache.problems().keys()].map((path) => path.replace(root, '$DIR')).sort(), Object.keys(vector.expected['problems'] ?? {}).sort());
      const result = await outcome(() => cache.inject(input.oci ?? {}, input.devices ?? []));
      assert.equal(result.ok, vector.expected.ok, result.ok ? 'was injected' : result.error.message);
      if (result.ok) assert.deepEqual(JSON.parse(JSON.stringify(result.value)), vector.expected['oci']);
      else assert.equal(String(vector.expected['error']).replace('failed to inject devices: ', ''), result.error.message);
    } finally {
      rmSync(root, { recursive: true });
    }
  },
  async annotate(vector) {
    const input = vector.input as unknown as { annotations?: Record<string, string>; plugin: string; deviceID: string; devices: string[] };
    const result = await outcome(() => annotateDevices(input.annotations ?? {}, input, input.devices ?? []));
    assert.equal(result.ok, vector.expected.ok);
    if (result.ok) assert.deepEqual(result.value, vector.expected['annotations']);
  },
  async annotations(vector) {
    const result = await outcome(() => parseDeviceAnnotations(vector.input as unknown as Record<string, string>));
    assert.equal(result.ok, vector.expected.ok);
    if (!result.ok) return;
    assert.deepEqual([...result.value.keys].sort(), [...((vector.expected['keys'] as string[] | null) ?? [])].sort());
    assert.deepEqual([...result.value.devices].sort(), [...((vector.expected['devices'] as string[] | null) ?? [])].sort());
  },
};

for (const file of ['names', 'specs', 'versions', 'injection', 'annotations']) {
  describe(`CDI ${file} as the reference library has them`, () => {
    for (const vector of vectors(file)) test(vector.name, () => checks[vector.kind]?.(vector));
  });
}
