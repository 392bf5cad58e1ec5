/** The options of deletions: from a body or the query, checked as upstream's ValidateDeleteOptions does. */
import { FieldErrors, schemaOf } from '#api';
import { badRequest, type DeleteOptions, goQuote, isJsonObject, type Json, type JsonObject } from '#machinery';
import { isOn } from '../http/request-info.ts';
import { invalidOptions } from '../refusals.ts';
import type { Call } from './call.ts';
import { parseBody, UNNAMED_SCHEME } from './decode.ts';
import { numberOption } from './list-options.ts';
import { checkStructure, StructureError } from './structure.ts';
import { checkDryRun } from './write-options.ts';

const KIND = 'DeleteOptions';
const DEFINITION = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
const META_VERSION = 'meta.k8s.io/v1';

/** The options of a DELETE: those of its body where it has one, otherwise those of its query. */
export async function deleteOptions(call: Call): Promise<DeleteOptions> {
  if (call.request.body.length === 0) return checked(fromQuery(call.info.query));
  return deleteOptionsOf(await parseBody(call.request));
}

/** The options of a body. */
export function deleteOptionsOf(body: Json | undefined): DeleteOptions {
  return isJsonObject(body) ? checked(fromBody(body)) : {};
}

function fromQuery(query: URLSearchParams): DeleteOptions {
  const grace = numberOption(query, 'gracePeriodSeconds');
  const [policy, uid, resourceVersion] = ['propagationPolicy', 'uid', 'resourceVersion'].map((name) => query.get(name) ?? undefined);
  return {
    gracePeriodSeconds: grace,
    propagationPolicy: policy,
    orphanDependents: query.has('orphanDependents') ? isOn(query, 'orphanDependents') : undefined,
    preconditions: { uid, resourceVersion },
    dryRun: query.getAll('dryRun'),
  };
}

/** Unknown members do not count, those of a wrong type are refused. */
function fromBody(body: JsonObject): DeleteOptions {
  const { kind = '', apiVersion = '' } = body;
  if (kind !== '' && kind !== KIND) {
    throw badRequest(`no kind ${goQuote(String(kind))} is registered for version ${goQuote(String(apiVersion || META_VERSION))} in scheme ${UNNAMED_SCHEME}`);
  }
  try {
    // The schema is that of the type.
    return checkStructure(schemaOf(DEFINITION), body).value as DeleteOptions;
  } catch (thrown) {
    if (thrown instanceof StructureError) throw badRequest(thrown.message);
    throw thrown;
  }
}

const POLICIES: readonly string[] = ['Foreground', 'Background', 'Orphan', 'nil'];

function checked(options: DeleteOptions): DeleteOptions {
  const { propagationPolicy: policy, orphanDependents, dryRun = [] } = options;
  const errors = new FieldErrors();
  if (policy !== undefined) {
    if (orphanDependents !== undefined) errors.invalid('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set');
    if (policy === 'nil' || !POLICIES.includes(policy)) errors.notSupported('propagationPolicy', policy, POLICIES);
  }
  checkDryRun(dryRun, errors);
  if (errors.list.length > 0) throw invalidOptions(KIND, errors.list);
  return options;
}
