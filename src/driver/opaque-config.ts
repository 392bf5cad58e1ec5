/** Which opaque configurations of an allocated claim apply to a request, in order of precedence. */
import type { AllocationResult } from '#api';
import type { Json } from '#machinery';

/** A driver's parameters and where they came from. */
export interface OpaqueConfig {
  readonly parameters: Json;
  readonly source: 'FromClaim' | 'FromClass';
}

/** Configurations for `driver` and `request` (as the result names it, with a possible /subrequest): the class's before the claim's; the last wins. */
export function opaqueConfigs(allocation: AllocationResult, driver: string, request: string): readonly OpaqueConfig[] {
  const main = request.split('/')[0] ?? request;
  const found: OpaqueConfig[] = [];
  for (const source of ['FromClass', 'FromClaim'] as const) {
    for (const config of allocation.devices?.config ?? []) {
      if (config.source !== source || config.opaque?.driver !== driver) continue;
      const requests = config.requests ?? [];
      if (requests.length === 0 || requests.includes(request) || requests.includes(main)) found.push({ parameters: config.opaque.parameters, source });
    }
  }
  return found;
}
