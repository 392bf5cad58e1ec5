/** The random choices of tests that kill processes. */
import { randomInt } from 'node:crypto';
import { type SeededRandom, seededRandom } from '../property/seeded-random.ts';

/** Another one in each run, unless DRAY_SEED repeats one; moments depend on the machine all the same. */
export const SEED = Number(process.env['DRAY_SEED'] ?? randomInt(2 ** 32));

/** The choices that belong to the seed. */
export const chance: SeededRandom = seededRandom(SEED);
