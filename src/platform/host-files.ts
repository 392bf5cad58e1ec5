/** The host's files through node:fs. */
import { type FSWatcher, type Stats, watch } from 'node:fs';
import { appendFile, chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { asError, type Logger, silentLogger } from '#base';
import { type DirectoryEntry, type FileStat, type HostFiles, isFileMissing } from '#ports';
import { LockHeldError, takeLock } from './file-lock.ts';

/** Pause between two tries for a lock that another process holds. */
const LOCK_POLL_MS = 20;

/** Files of the machine this process runs on. */
export class NodeHostFiles implements HostFiles {
  readonly #logger: Logger;
  #temporaries = 0;

  constructor(logger: Logger = silentLogger) {
    this.#logger = logger;
  }

  read(path: string): Promise<Uint8Array> {
    return readFile(path);
  }

  async readPart(path: string, offset: number, length: number): Promise<Uint8Array> {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  readText(path: string): Promise<string> {
    return readFile(path, 'utf8');
  }

  async writeAtomic(path: string, content: string | Uint8Array, mode?: number): Promise<void> {
    // The leading dot keeps half-written files out of the sight of whoever scans the directory for *.json.
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${this.#temporaries++}.tmp`);
    try {
      const file = await open(temporary, 'wx', mode ?? 0o644);
      try {
        if (mode !== undefined) await file.chmod(mode);
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncDirectory(dirname(path));
  }

  append(path: string, content: string | Uint8Array): Promise<void> {
    return appendFile(path, content);
  }

  remove(path: string): Promise<void> {
    return rm(path, { force: true, recursive: true });
  }

  async list(directory: string): Promise<readonly DirectoryEntry[]> {
    const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
      if (isFileMissing(error)) return [];
      throw error;
    });
    const kindOf = (entry: (typeof entries)[number]): DirectoryEntry['kind'] =>
      entry.isDirectory() ? 'directory' : entry.isSocket() ? 'socket' : entry.isFile() ? 'file' : 'other';
    return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) })).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async makeDirectory(path: string, mode?: number): Promise<void> {
    const made = await mkdir(path, { recursive: true, mode: mode ?? 0o755 });
    if (made !== undefined && mode !== undefined) await chmod(path, mode);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    try {
      return fileStat(await stat(path));
    } catch (error) {
      if (isFileMissing(error)) return undefined;
      throw error;
    }
  }

  async lock(path: string): Promise<() => Promise<void>> {
    for (;;) {
      try {
        return await takeLock(path);
      } catch (error) {
        if (!(error instanceof LockHeldError)) throw error;
        await pause(LOCK_POLL_MS);
      }
    }
  }

  watch(directory: string, changed: () => void): () => void {
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(directory, { persistent: false }, () => changed());
      watcher.on('error', (error) => this.#logger.warn('Watching a directory failed, relying on re-scans', { directory, error: error.message }));
    } catch (error) {
      this.#logger.warn('Cannot watch a directory, relying on re-scans', { directory, error: asError(error).message });
    }
    return () => watcher?.close();
  }
}

/** The rename itself must survive a crash; some file systems refuse to sync a directory, which is then theirs to keep. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync().catch((error: unknown) => {
      if (asError(error).message.startsWith('EINVAL')) return;
      throw error;
    });
  } finally {
    await handle.close();
  }
}

function fileStat(stats: Stats): FileStat {
  return {
    kind: kindOfStats(stats),
    identity: `${stats.dev}:${stats.ino}:${stats.ctimeMs}`,
    size: stats.size,
    mode: stats.mode & 0o7777,
    major: majorOf(stats.rdev),
    minor: minorOf(stats.rdev),
  };
}

function kindOfStats(stats: Stats): FileStat['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSocket()) return 'socket';
  if (stats.isBlockDevice()) return 'block';
  if (stats.isCharacterDevice()) return 'char';
  return stats.isFIFO() ? 'fifo' : 'other';
}

/** Linux packs device numbers into 64 bit: major in bits 8–19 and 44–63, minor in bits 0–7 and 20–43 (glibc makedev). */
function majorOf(rdev: number): number {
  const bits = BigInt(rdev);
  return Number(((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n));
}

function minorOf(rdev: number): number {
  const bits = BigInt(rdev);
  return Number((bits & 0xffn) | ((bits >> 12n) & 0xffffff00n));
}
