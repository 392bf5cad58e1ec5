/** Reads the output of a container. */
import { asError, type Clock, sleep } from '#base';
import { type HostFiles, isFileMissing } from '#ports';

/** Which log to read. */
export interface LogRequest {
  readonly namespace: string;
  readonly pod: string;
  /** Default: the first container. */
  readonly container?: string | undefined;
  readonly tailLines?: number | undefined;
  readonly follow?: boolean | undefined;
  /** Ends a log that is followed. */
  readonly signal?: AbortSignal | undefined;
}

/** Pause between two looks at a log that is followed. */
const FOLLOW_MS = 300;
const NEWLINE = 10;

/** The content of a log file, and with `follow` what is added to it; a file that is not there is empty. */
export async function* readLog(host: { readonly files: HostFiles; readonly clock: Clock }, file: string, request: LogRequest): AsyncGenerator<Uint8Array> {
  const read = (): Promise<Uint8Array> =>
    host.files.read(file).catch((error: unknown) => (isFileMissing(error) ? new Uint8Array() : Promise.reject(asError(error))));
  let content = await read();
  yield request.tailLines === undefined ? content : tail(content, request.tailLines);
  while (request.follow === true) {
    await sleep(host.clock, FOLLOW_MS, request.signal);
    const offset = content.length;
    content = await read();
    if (content.length > offset) yield content.subarray(offset);
  }
}

function tail(content: Uint8Array, lines: number): Uint8Array {
  const end = content.at(-1) === NEWLINE ? content.length - 1 : content.length;
  let start = end;
  for (let left = lines; left > 0 && start > 0; left--) start = content.lastIndexOf(NEWLINE, start - 1);
  return lines === 0 ? new Uint8Array() : content.subarray(start <= 0 ? 0 : start + 1);
}
