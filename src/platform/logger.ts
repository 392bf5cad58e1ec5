/** The Logger on pino: one JSON line per entry on standard error, so that standard output stays the command's own. */
import { createRequire } from 'node:module';
import type * as Pino from 'pino';
import type { LogFields, Logger } from '#base';

/** From rare to frequent. */
const LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
/** From silent to chatty: what `-v` chooses. */
export type LogLevel = (typeof LEVELS)[number];

/** A logger whose lines carry `component`. Lines are written synchronously: the last one before a crash is not lost. */
export function createLogger(component: string, level: LogLevel): Logger {
  let sink: Pino.Logger | undefined;
  const writer = (of: WrittenLevel) => (message: string, fields?: LogFields) => {
    if (LEVELS.indexOf(of) > LEVELS.indexOf(level)) return;
    sink ??= open(component);
    sink[of](readable(fields), message);
  };
  return { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') };
}

type WrittenLevel = Exclude<LogLevel, 'silent'>;

const require = createRequire(import.meta.url);

/** Loads the library with the first line: most starts have nothing to say. */
function open(component: string): Pino.Logger {
  // What `require` returns are the exports of the module.
  const { destination, pino } = require('pino') as typeof Pino;
  return pino({ level: 'debug', base: { component }, timestamp: () => `,"time":"${new Date().toISOString()}"` }, destination({ dest: 2, sync: true }));
}

/** Errors print as their message; pino alone would print `{}` for one that sits in an arbitrary field. */
function readable(fields: LogFields | undefined): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields ?? {})) plain[name] = value instanceof Error ? value.message : value;
  return plain;
}
