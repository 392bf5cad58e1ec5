/** The real source of randomness: the operating system's, through node:crypto. */
import { randomInt, randomUUID } from 'node:crypto';
import type { Random } from '#base';

/** Unpredictable numbers and UUIDs; uids and share IDs come from here. */
export const systemRandom: Random = {
  below: (bound) => randomInt(bound),
  uuid: () => randomUUID(),
};
