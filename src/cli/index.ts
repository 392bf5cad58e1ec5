/**
 * cli: the commands' thinking and printing, without their input and output.
 *
 * Everything here takes a client and plain values and returns text or a result; `cmd` reads files, talks to the
 * terminal and ends the process. Objects are printed from the server's own Tables, so there is one printer in the house.
 */
export { Applier, type Applied } from './apply.ts';
export { claimTable, type ClaimTableInput } from './claim-table.ts';
export { alignColumns } from './columns.ts';
export { findResource, pathOf, resourcesOf, type ServedResource } from './discovery.ts';
export { type Expectation, expectationsOf, type ExpectedState, isReached } from './expectations.ts';
export { get, type GetOptions } from './get.ts';
export { type Manifest, parseManifests } from './manifests.ts';
