/**
 * cli: the commands' thinking and printing, without their input and output.
 *
 * Everything here takes a client and plain values and returns text or a result; `cmd` reads files, talks to the
 * terminal and ends the process. Objects are printed from the server's own Tables, so there is one printer in the house.
 */
export { Applier, type Applied } from './apply.ts';
export { claimTable, type ClaimTableInput } from './claim-table.ts';
export { deleteManifests, type DeleteOptions, deleteSelected } from './delete.ts';
export { type Expectation, expectationsOf, type ExpectedState, isReached } from './expectations.ts';
export { get } from './get.ts';
export { GET_FORMATS, type GetFormat, type GetOptions } from './get-options.ts';
export { getAndWatch } from './get-watch.ts';
export { logs, type LogsOptions } from './logs.ts';
export { type Manifest, parseManifests } from './manifests.ts';
export { attemptEach, type Terminal, throwTogether } from './terminal.ts';
