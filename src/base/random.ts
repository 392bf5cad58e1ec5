/** Randomness as a parameter, so that a run can be repeated from its seed. */

/** A source of randomness. `platform` gives the real one, tests a seeded one. */
export interface Random {
  /** A whole number, 0 <= n < `bound`. */
  below(bound: number): number;
  /** A version 4 UUID in lower case, as metadata.uid and share IDs carry. */
  uuid(): string;
}

/** The letters of upstream's generated name suffixes: no vowels and no look-alikes, so no words appear. */
const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** A suffix for generateName, as upstream's rand.String. */
export function nameSuffix(random: Random, length: number): string {
  let suffix = '';
  for (let i = 0; i < length; i++) suffix += SUFFIX_LETTERS.charAt(random.below(SUFFIX_LETTERS.length));
  return suffix;
}
