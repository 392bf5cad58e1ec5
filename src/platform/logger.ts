/** The Logger on pino: one JSON line per entry on standard error, so that standard output stays the command's own. */
import { destination, pino, type Logger as PinoLogger } from 'pino';
import type { LogFields, Logger } from '#base';

/** From silent to chatty: what `-v` chooses. */
export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** A logger whose lines carry `component`. Lines are written synchronously: the last one before a crash is not lost. */
export function createLogger(component: string, level: LogLevel): Logger {
  const sink = pino({ level, base: { component }, timestamp: () => `,"time":"${new Date().toISOString()}"` }, destination({ dest: 2, sync: true }));
  return adapt(sink);
}

function adapt(sink: PinoLogger): Logger {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => sink[level](readable(fields), message);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** Errors print as their message; pino alone would print `{}` for one that sits in an arbitrary field. */
function readable(fields: LogFields | undefined): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields ?? {})) plain[name] = value instanceof Error ? value.message : value;
  return plain;
}
