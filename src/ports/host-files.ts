/** Files of the host: reads and atomic writes. Paths are absolute. */

/** An entry of a directory. */
export interface DirectoryEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'socket' | 'other';
}

/** What identifies a file and a device node. */
export interface FileStat {
  readonly kind: 'file' | 'directory' | 'socket' | 'block' | 'char' | 'fifo' | 'other';
  /** Changes when a file is re-created at the same path: device, inode and change time. */
  readonly identity: string;
  /** Bytes of a file. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** Device numbers of a block or character device. */
  readonly major: number;
  readonly minor: number;
}

/** The file system of the host. Rejections carry `code` (ENOENT, EACCES, …) as Node's do. */
export interface HostFiles {
  read(path: string): Promise<Uint8Array>;
  /** At most `length` bytes from `offset` on; fewer at the end of the file. */
  readPart(path: string, offset: number, length: number): Promise<Uint8Array>;
  readText(path: string): Promise<string>;
  /** Replaces the file in one step: temporary file, fsync, rename. Readers see the old or the new content. Permission bits: `mode`, else 0644 less the process's mask. */
  writeAtomic(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  /** Adds to the end of the file, making it if need be. */
  append(path: string, content: string | Uint8Array): Promise<void>;
  /** Removes a file or a whole directory; nothing there is fine. */
  remove(path: string): Promise<void>;
  /** Entries in order of name; an absent directory is empty. */
  list(directory: string): Promise<readonly DirectoryEntry[]>;
  /** Makes the directory and its parents. Permission bits of a new one: `mode`, else 0755 less the process's mask. */
  makeDirectory(path: string, mode?: number): Promise<void>;
  /** undefined when nothing is there. Follows links. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Waits until no other living process holds the lock file, then holds it; the returned function lets it go. */
  lock(path: string): Promise<() => Promise<void>>;
  /** Calls `changed` soon after something changed directly in `directory`; the returned function ends it. Hints only: re-scan too. */
  watch(directory: string, changed: () => void): () => void;
}

/** Whether a rejection of HostFiles means that the file is not there. */
export function isFileMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
