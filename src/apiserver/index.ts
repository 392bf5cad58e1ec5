/**
 * apiserver: HTTP requests in, HTTP answers out, over a revisioned store.
 *
 * A request goes: path → authentication → authorization → kind and version (`Catalog`) → verb (`registry/`). A write is
 * decoded against the kind's schema, defaulted, converted to the storage version, prepared and validated by the kind's
 * own functions, and committed with the revision that it was based on; a write that lost a race is made anew from the
 * newer object. Reads decode each stored version once and encode it once per API version; watches share both.
 * Nothing here listens on a socket, reads a clock or throws dice: transports, Clock and Random come from outside.
 */
export { ADMISSION_PLUGINS } from './admission/chain.ts';
export { PiecedBody } from './http/pieces.ts';
export type { LineStream } from './registry/line-stream.ts';
export { AUTHORIZATION_MODES, type AuthorizationMode } from './authorization/modes.ts';
export type { ServerRequest, ServerResponse, UserInfo } from './http/message.ts';
export type { ServiceAccountOptions, TokenKeys } from './service-account-tokens.ts';
export type { ApiServerOptions } from './options.ts';
export { COMPACT_PATH } from './maintenance.ts';
export { DEFAULT_REQUEST_LIMITS, type RequestLimits } from './requests-in-flight.ts';
export { JWKS_PATH } from './openid.ts';
export { type ApiServer, createApiServer } from './server.ts';
