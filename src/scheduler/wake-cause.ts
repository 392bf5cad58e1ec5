/** The kinds of changes that refused pods wait for. */

/** What kind of change may make a refused pod schedulable. */
export type WakeCause = 'node' | 'pod' | 'claim' | 'slice' | 'class';
