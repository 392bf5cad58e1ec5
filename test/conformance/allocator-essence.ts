/** The comparable part of an allocator's answer. */
import { stringifyJson } from '#machinery';
import type { OracleResult } from './allocator-oracle.ts';

/** What follows one of these is the text of another library (CEL, node selectors), compared elsewhere. */
const FOREIGN_TAIL =
  /(CEL compile error:|CEL runtime error:|failed to parse node selector|compile derived attribute [^:]*failed:|evaluate derived attribute [^:]*failed:)[\s\S]*$/;

/** dray follows the later upstream, for which this concerns the node only (docs/compatibility.md). */
const PER_NODE = /asks for all devices, but resource pool/;

/** Equal for answers that mean the same. */
export function essence({ node, allocation, none, error, errorClass }: OracleResult): unknown {
  if (allocation !== undefined) return JSON.parse(stringifyJson({ node, allocation }));
  if (error === undefined) return { node, none };
  return { node, error: error.replace(FOREIGN_TAIL, '$1'), errorClass: PER_NODE.test(error) ? 'node' : errorClass };
}
