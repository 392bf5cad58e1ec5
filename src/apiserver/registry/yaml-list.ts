/** Lists in YAML, written object by object: that takes a hundred times as long as JSON, and others want answers meanwhile. */
import { type Json, parseJson, stringifyYaml } from '#machinery';
import { YAML_TYPE } from '../http/accept.ts';
import type { ServerResponse } from '../http/message.ts';
import { joined, utf8 } from '../http/pieces.ts';

/** More than a stream takes without asking to wait: between two chunks others get their turn. Lists of fewer bytes are answered whole. */
const CHUNK_LENGTH = 64 * 1024;

/** What a list is made of. */
export interface ListParts {
  /** JSON of the list without objects. */
  readonly head: Uint8Array;
  /** The member of `head` that has none. */
  readonly member: 'items' | 'rows';
  /** JSON of each object; made when it is its turn. */
  readonly items: Iterable<Uint8Array>;
  /** What the objects take where they are stored. */
  readonly bytes: number;
}

/** The list as an answer. */
export async function yamlListResponse(list: ListParts): Promise<ServerResponse> {
  const chunks = yamlChunks(list);
  const body = list.bytes < CHUNK_LENGTH ? joined(await Array.fromAsync(chunks)) : chunks;
  return { status: 200, headers: { 'content-type': YAML_TYPE }, body };
}

async function* yamlChunks({ head, member, items }: ListParts): AsyncGenerator<Uint8Array> {
  const members = Object.entries(parsed(head) ?? {});
  let text = await stringifiedMembers(members.filter(([name]) => name < member));
  let empty = true;
  for (const item of items) {
    if (empty) text += `${member}:\n`;
    empty = false;
    text += await stringifyYaml([parsed(item)]);
    if (text.length < CHUNK_LENGTH) continue;
    yield utf8(text);
    text = '';
  }
  yield utf8(`${text}${await stringifiedMembers(members.filter(([name]) => name > member || (empty && name === member)))}`);
}

function stringifiedMembers(members: readonly (readonly [string, Json])[]): Promise<string> | string {
  return members.length === 0 ? '' : stringifyYaml(Object.fromEntries(members));
}

const decoder = new TextDecoder();

function parsed(json: Uint8Array): Json {
  return parseJson(decoder.decode(json));
}
