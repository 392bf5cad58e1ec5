/** Logging as a parameter: layers below `platform` write through this port and never to a console. */

/** Structured fields of a log line. Never put tokens, keys or Secret data here. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A sink for log lines; `platform` gives one on pino. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A logger that keeps nothing, for tests and tools. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function nothing(): void {}
