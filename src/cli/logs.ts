/** `dray logs`: what a container wrote. */
import { errorOfResponse, pathOf, PODS, type RestClient } from '#client';
import { queryOf } from './exchange.ts';

/** Whose log, and how much of it. */
export interface LogsOptions {
  /** A pod's name, also as `pod/NAME`. */
  readonly pod: string;
  readonly namespace: string;
  readonly container?: string | undefined;
  readonly follow?: boolean | undefined;
  /** Only the last lines. */
  readonly tailLines?: number | undefined;
}

/** Writes the log as it arrives, until it ends or `signal` aborts. */
export async function logs(client: RestClient, options: LogsOptions, write: (piece: Uint8Array) => void, signal: AbortSignal): Promise<void> {
  const name = options.pod.replace(/^(pods?|po)\//, '');
  if (name.includes('/')) throw new Error(`"${options.pod}" is not a pod: logs are those of pods`);
  const query = queryOf({
    container: options.container,
    follow: options.follow === true ? 'true' : undefined,
    tailLines: options.tailLines === undefined ? undefined : String(options.tailLines),
  });
  try {
    const path = pathOf(PODS, options.namespace, name, 'log') + query;
    const response = await client.raw({ method: 'GET', path, headers: { accept: '*/*' } }, signal);
    if (response.status !== 200) throw await errorOfResponse(response);
    for await (const piece of response.body) write(piece);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
