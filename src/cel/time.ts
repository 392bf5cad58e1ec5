/** Reads and writes durations and timestamps as Go's time package does. */
import { CelError, Duration, Timestamp, type Value } from './values.ts';

const NANOS = 1000000000n;
const UNITS: Readonly<Record<string, bigint>> = { ns: 1n, us: 1000n, µs: 1000n, μs: 1000n, ms: 1000000n, s: NANOS, m: 60n * NANOS, h: 3600n * NANOS };
const SEGMENT = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y;

/** A duration such as `1h30m`. */
export function parseDuration(text: string): Value {
  const failed = new CelError("type conversion error from 'string' to 'google.protobuf.Duration'");
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return new Duration(0n);
  let nanos = 0n;
  let index = 0;
  while (index < body.length) {
    SEGMENT.lastIndex = index;
    const [whole, digits = '', fraction = '', unit = ''] = SEGMENT.exec(body) ?? [];
    if (whole === undefined || digits + fraction === '') return failed;
    const scale = UNITS[unit] ?? 1n;
    const decimals = fraction.slice(0, 18);
    nanos += BigInt(digits === '' ? 0 : digits) * scale + (BigInt(decimals === '' ? 0 : decimals) * scale) / 10n ** BigInt(decimals.length);
    index += whole.length;
  }
  if (body === '' || nanos >= 2n ** 63n) return failed;
  return new Duration(text.startsWith('-') ? -nanos : nanos);
}

/** A duration in seconds, as string() writes it. */
export function durationText(nanos: bigint): string {
  const magnitude = nanos < 0n ? -nanos : nanos;
  const fraction = String(magnitude % NANOS)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${nanos < 0n ? '-' : ''}${magnitude / NANOS}${fraction === '' ? '' : `.${fraction}`}s`;
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/;

/** A timestamp in RFC 3339. */
export function parseTimestamp(text: string): Value {
  const failed = new CelError("type conversion error from 'string' to 'google.protobuf.Timestamp'");
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = '', zone = ''] = RFC3339.exec(text) ?? [];
  if (year === '' || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return failed;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return failed;
  const clock = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const offset = zone === 'Z' ? 0 : (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(4)) * 60);
  const nanos = (BigInt(date.getTime() / 1000) + BigInt(clock - offset)) * NANOS + BigInt(fraction.padEnd(9, '0').slice(0, 9));
  return nanos < -62135596800n * NANOS || nanos >= 253402300800n * NANOS ? failed : new Timestamp(nanos);
}

/** The parts of a moment in a time zone. */
export interface CalendarTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number;
  readonly yearDay: number;
  readonly nanos: number;
}

/** The calendar in a zone given as `+hh:mm` or UTC. Named zones are not in the dialect's reach without a zone table. */
export function calendar(nanos: bigint, zone: string): CalendarTime | CelError {
  const offset = zoneOffset(zone);
  if (offset === undefined) return new CelError(`unknown time zone ${zone}`);
  const shifted = nanos + BigInt(offset) * NANOS;
  const part = ((shifted % NANOS) + NANOS) % NANOS;
  const date = new Date(Number((shifted - part) / 1000000n));
  const start = new Date(0);
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
    yearDay: Math.floor((date.getTime() - start.getTime()) / 86400000),
    nanos: Number(part),
  };
}

function zoneOffset(zone: string): number | undefined {
  if (zone === '' || zone === 'UTC') return 0;
  const [, sign, hours = '', minutes = ''] = /^([+-]?)(\d\d):(\d\d)$/.exec(zone) ?? [];
  return sign === undefined ? undefined : (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
}

/** A moment in RFC 3339, UTC, as string() writes it. */
export function timestampText(nanos: bigint): string {
  const time = calendar(nanos, 'UTC');
  if (time instanceof CelError) return time.message;
  const two = (value: number): string => String(value).padStart(2, '0');
  const fraction = time.nanos === 0 ? '' : `.${String(time.nanos).padStart(9, '0').replace(/0+$/, '')}`;
  return `${String(time.year).padStart(4, '0')}-${two(time.month + 1)}-${two(time.day)}T${two(time.hour)}:${two(time.minute)}:${two(time.second)}${fraction}Z`;
}
