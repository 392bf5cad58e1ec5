/** Reads and writes durations and timestamps as Go's time package does. */
import { goQuote } from '#machinery';
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

/** A duration in seconds, as string() writes it: by way of a double. */
export function durationText(nanos: bigint): string {
  return `${plainNumber(Number(nanos / NANOS) + Number(nanos % NANOS) / 1e9)}s`;
}

/** A double without exponent and with the fewest digits. */
function plainNumber(value: number): string {
  const text = String(value);
  const [digits = '', exponent] = text.split('e-');
  if (exponent === undefined) return text;
  const sign = digits.startsWith('-') ? '-' : '';
  return `${sign}0.${digits.replace(/[-.]/g, '').padStart(digits.replace(/[-.]/g, '').length + Number(exponent) - 1, '0')}`;
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
  return nanos < -62135596800n * NANOS || nanos >= 253402300800n * NANOS ? new CelError('timestamp overflow') : new Timestamp(nanos, offset);
}

/** The moment so many seconds after the Unix epoch. */
export function timestampOfSeconds(seconds: bigint): Value {
  return seconds < -62135596800n || seconds > 253402300799n ? new CelError('timestamp overflow') : new Timestamp(seconds * NANOS);
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

/** The calendar in a zone: an offset such as `-08:00`, UTC, or a name of the time zone database. */
export function calendar(nanos: bigint, zone: string): CalendarTime | CelError {
  const offset = zoneOffset(zone, nanos);
  return offset instanceof CelError ? offset : calendarAt(nanos, offset);
}

function calendarAt(nanos: bigint, offset: number): CalendarTime {
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

/** Seconds east of Greenwich (common/types/timestamp.go, timeZone). */
function zoneOffset(zone: string, nanos: bigint): number | CelError {
  const colon = zone.indexOf(':');
  if (colon < 0) return namedOffset(zone, nanos);
  const hours = goInteger(zone.slice(0, colon));
  const minutes = goInteger(zone.slice(colon + 1));
  if (typeof hours !== 'number') return hours;
  if (typeof minutes !== 'number') return minutes;
  if (minutes < 0 || minutes > 59) return new CelError(`timezone offset minutes out of range [0, 59]: ${zone}`);
  return (zone.startsWith('-') ? hours * 60 - minutes : hours * 60 + minutes) * 60;
}

/** A text as Go's strconv.Atoi reads it. */
function goInteger(text: string): number | CelError {
  if (!/^[+-]?\d+$/.test(text)) return new CelError(`strconv.Atoi: parsing ${goQuote(text)}: invalid syntax`);
  const value = Number(text);
  return Math.abs(value) < 2 ** 63 ? value : new CelError(`strconv.Atoi: parsing ${goQuote(text)}: value out of range`);
}

function namedOffset(zone: string, nanos: bigint): number | CelError {
  if (zone === '' || zone === 'UTC') return 0;
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(zone)) return new CelError(`unknown time zone ${zone}`);
  try {
    const formatter = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    const millis = Number(nanos / 1000000n);
    const name = formatter.formatToParts(millis).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
    const [, sign = '+', hours = '0', minutes = '0', seconds = '0'] = /^GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?$/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
  } catch {
    return new CelError(`unknown time zone ${zone}`);
  }
}

const two = (value: number): string => String(value).padStart(2, '0');

function clockText({ year, month, day, hour, minute, second, nanos }: CalendarTime, separator: string): string {
  const fraction = nanos === 0 ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`;
  return `${String(year).padStart(4, '0')}-${two(month + 1)}-${two(day)}${separator}${two(hour)}:${two(minute)}:${two(second)}${fraction}`;
}

function offsetText(offset: number, colon: string): string {
  const minutes = Math.abs(Math.trunc(offset / 60));
  return `${offset < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}${colon}${two(minutes % 60)}`;
}

/** A moment in RFC 3339 with the offset it was read with, as string() writes it. */
export function timestampText({ nanos, offset }: Timestamp): string {
  return clockText(calendarAt(nanos, offset), 'T') + (offset === 0 ? 'Z' : offsetText(offset, ':'));
}

/** A moment as Go's %v prints it. */
export function goTimeText({ nanos, offset }: Timestamp): string {
  const zone = offsetText(offset, '');
  return `${clockText(calendarAt(nanos, offset), ' ')} ${zone} ${offset === 0 ? 'UTC' : zone}`;
}
