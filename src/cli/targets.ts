/** Reads what people name on the command line: TYPE, TYPE NAME…, TYPE,TYPE or TYPE/NAME…. */
import type { Discovery, ServedResource } from './discovery.ts';

/** A resource, and the names asked for: none means all objects. */
export interface Target {
  readonly resource: ServedResource;
  readonly names: readonly string[];
}

/** The targets that `words` name, in their order; throws one sentence when they are unclear or unknown to the server. */
export async function targetsOf(discovery: Discovery, words: readonly string[]): Promise<readonly Target[]> {
  const [first, ...rest] = words;
  if (first === undefined) throw new Error('name a resource type: TYPE, TYPE NAME or TYPE/NAME');
  if (words.some((word) => word.includes('/'))) return slashed(discovery, words);
  const types = first.split(',').filter((type) => type !== '');
  if (types.length === 0) throw new Error(`"${first}" names no resource type`);
  return Promise.all(types.map(async (type) => ({ resource: await discovery.byName(type), names: rest })));
}

async function slashed(discovery: Discovery, words: readonly string[]): Promise<readonly Target[]> {
  const targets: { resource: ServedResource; names: string[] }[] = [];
  for (const word of words) {
    const [type = '', name = '', ...more] = word.split('/');
    if (type === '' || name === '' || more.length > 0) throw new Error(`"${word}" is not TYPE/NAME, and TYPE/NAME cannot be mixed with other forms`);
    const resource = await discovery.byName(type);
    const last = targets.at(-1);
    if (last?.resource === resource) last.names.push(name);
    else targets.push({ resource, names: [name] });
  }
  return targets;
}
