/**
 * api: the kinds. Types and schema data are generated from one recorded source; defaults, conversion, validation,
 * strategies and table columns are pure functions beside them.
 */
export type * from './types/core-v1.ts';
export type * from './types/resource-v1.ts';
export type { ResourceClaim } from './types/resource-v1.ts';
export type * from './kind.ts';
export type { Lease, LeaseSpec } from './types/coordination-v1.ts';
