/** What the host is. */

/** The facts of a machine that a node reports. Strings are empty where the system does not tell. */
export interface MachineFacts {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Size of the file system that holds the node agent's files. */
  readonly storageBytes: number;
  /** As Go names it: amd64, arm64, … */
  readonly architecture: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly machineID: string;
  readonly bootID: string;
  readonly systemUUID: string;
}
