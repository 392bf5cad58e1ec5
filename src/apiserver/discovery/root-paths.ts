/** The index of an API server: all paths that are not about objects. */
import { jsonResponse, type ServerResponse } from '../http/message.ts';
import { CHECKS } from '../health.ts';
import { CONFIGURATION_PATH, JWKS_PATH } from '../openid.ts';
import type { Core } from '../options.ts';
import { servedGroups, servedVersions } from './resources.ts';

const ALWAYS: readonly string[] = ['/apis', '/apis/', '/metrics', '/openapi/v2', '/openapi/v3', '/openapi/v3/', '/version'];

/** Serves `/` and `/index.html`, as upstream whatever the method; undefined for other paths. */
export function rootPaths(core: Core, path: string): ServerResponse | undefined {
  if (path !== '/' && path !== '/index.html') return undefined;
  return jsonResponse(200, { paths: [...ALWAYS, ...ofGroups(core), ...ofHealth(), ...ofTokens(core)].sort() });
}

function ofGroups({ catalog }: Core): readonly string[] {
  return servedGroups(catalog).flatMap((group) => {
    const root = group === '' ? '/api' : `/apis/${group}`;
    return [root, ...servedVersions(catalog, group).map((version) => `${root}/${version}`)];
  });
}

function ofHealth(): readonly string[] {
  return [...CHECKS].flatMap(([endpoint, checks]) => [`/${endpoint}`, ...checks.map((check) => `/${endpoint}/${check}`)]);
}

function ofTokens({ options }: Core): readonly string[] {
  return options.serviceAccounts === undefined ? [] : [CONFIGURATION_PATH, JWKS_PATH];
}
