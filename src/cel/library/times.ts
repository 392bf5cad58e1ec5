/** Parts of timestamps and durations. */
import { declare, duration, type FunctionDeclaration, member, str, timestamp } from '../declarations.ts';
import { calendar, type CalendarTime } from '../time.ts';
import * as t from '../types.ts';
import { CelError, type Timestamp, type Value } from '../values.ts';

function part(name: string, id: string, read: (time: CalendarTime) => number, unitNanos?: bigint): FunctionDeclaration {
  const of = (moment: Timestamp, zone: string): Value => {
    const time = calendar(moment.nanos, zone);
    return time instanceof CelError ? time : BigInt(read(time));
  };
  const moments = [
    member(`timestamp_to_${id}`, [timestamp], t.INT, (moment) => of(moment, 'UTC')),
    member(`timestamp_to_${id}_with_tz`, [timestamp, str], t.INT, of),
  ];
  if (unitNanos === undefined) return declare(name, ...moments);
  return declare(
    name,
    ...moments,
    member(`duration_to_${id}`, [duration], t.INT, (span) => (name === 'getMilliseconds' ? (span.nanos / unitNanos) % 1000n : span.nanos / unitNanos)),
  );
}

/** getFullYear() and its kin. */
export const TIMES: readonly FunctionDeclaration[] = [
  part('getFullYear', 'year', (time) => time.year),
  part('getMonth', 'month', (time) => time.month),
  part('getDate', 'day_of_month_1_based', (time) => time.day),
  part('getDayOfMonth', 'day_of_month', (time) => time.day - 1),
  part('getDayOfWeek', 'day_of_week', (time) => time.weekday),
  part('getDayOfYear', 'day_of_year', (time) => time.yearDay),
  part('getHours', 'hours', (time) => time.hour, 3600000000000n),
  part('getMinutes', 'minutes', (time) => time.minute, 60000000000n),
  part('getSeconds', 'seconds', (time) => time.second, 1000000000n),
  part('getMilliseconds', 'milliseconds', (time) => Math.floor(time.nanos / 1000000), 1000000n),
];
