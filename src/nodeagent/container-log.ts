/** Reads the output of a container. */
import { type Clock, sleep } from '#base';
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

/** A container's log. */
export interface ContainerLog {
  readonly file: string;
  /** Whether its container, as it was when the reading began, may still write. */
  readonly grows: () => boolean;
}

/** What reads need of the host. */
export interface LogHost {
  readonly files: Pick<HostFiles, 'readPart' | 'stat'>;
  readonly clock: Clock;
}

/** Pause between two looks at a log that is followed. */
const FOLLOW_MS = 300;
/** Logs are read in pieces of so many bytes: they may be longer than the memory. */
const PIECE_BYTES = 64 * 1024;
const NEWLINE = 10;

/** The content of a log file, with `follow` what is added to it until its container has ended; a file that is not there is empty. Rejects when `signal` aborts. */
export async function* readLog(host: LogHost, log: ContainerLog, { tailLines, follow, signal }: LogRequest): AsyncGenerator<Uint8Array> {
  let offset: number | undefined;
  for (;;) {
    // Asked before the size: what was written until the end is read yet.
    const last = follow !== true || !log.grows();
    const size = await sizeOf(host, log.file);
    offset ??= tailLines === undefined ? 0 : await startOfTail(host, log.file, size, tailLines);
    while (offset < size) {
      const piece = await readPart(host, log.file, offset, Math.min(PIECE_BYTES, size - offset));
      if (piece.length === 0) break;
      offset += piece.length;
      yield piece;
    }
    if (last) return;
    await sleep(host.clock, FOLLOW_MS, signal);
  }
}

async function sizeOf({ files }: LogHost, file: string): Promise<number> {
  return (await files.stat(file))?.size ?? 0;
}

/** Nothing when the file has vanished: logs go with their pods. */
async function readPart({ files }: LogHost, file: string, offset: number, length: number): Promise<Uint8Array> {
  try {
    return await files.readPart(file, offset, length);
  } catch (error) {
    if (isFileMissing(error)) return new Uint8Array();
    throw error;
  }
}

/** Where the last so many lines begin, looked for from the end. */
async function startOfTail(host: LogHost, file: string, size: number, lines: number): Promise<number> {
  if (lines === 0) return size;
  let left = lines;
  // A newline as the very last byte ends the last line and begins none.
  for (let end = size - 1; end > 0; end -= PIECE_BYTES) {
    const start = Math.max(0, end - PIECE_BYTES);
    const piece = await readPart(host, file, start, end - start);
    for (let at = newlineBefore(piece, piece.length); at >= 0; at = newlineBefore(piece, at)) if (--left === 0) return start + at + 1;
  }
  return 0;
}

function newlineBefore(piece: Uint8Array, position: number): number {
  return position === 0 ? -1 : piece.lastIndexOf(NEWLINE, position - 1);
}
