/** When an answer of dray's agrees with the oracle's. */
import { isDeepStrictEqual } from 'node:util';

/** Whether the answers say the same, save what upstream does not reproduce; `skip` leaves the texts of errors out too. */
export function agrees(got: unknown, want: unknown, skip?: 'message'): boolean {
  return isDeepStrictEqual(comparable(got, want, skip), comparable(want, want, skip));
}

/** The answer without what upstream itself does not reproduce, as `recorded` tells. */
function comparable(answer: unknown, recorded: unknown, skip: 'message' | undefined): unknown {
  if (Array.isArray(answer)) return answer.map((item, i) => comparable(item, field(recorded, i), skip));
  if (answer === null || typeof answer !== 'object') return answer;
  const unordered = field(recorded, 'unordered');
  const dropped = new Set(['unordered', ...(Array.isArray(unordered) ? unordered : [])]);
  const entries = Object.entries(answer).filter(([key]) => !dropped.has(key));
  return Object.fromEntries(
    entries.map(([key, part]) => [key, skip === 'message' && isText(key, part) ? 'some text' : comparable(part, field(recorded, key), skip)]),
  );
}

function isText(key: string, part: unknown): boolean {
  return typeof part === 'string' && (key === 'message' || key === 'error');
}

function field(value: unknown, key: string | number): unknown {
  return value !== null && typeof value === 'object' ? Reflect.get(value, key) : undefined;
}
