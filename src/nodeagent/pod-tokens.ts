/** The tokens of one pod's service account, each kept until most of its life is over (kubelet: token manager). */
import type { Pod } from '#api';
import type { Clock } from '#base';
import { requestToken, type RestClient } from '#client';

/** Seconds of a token whose projection names none (core/v1 defaults). */
const DEFAULT_TOKEN_SECONDS = 3600;
/** Kubelets renew a token when so much of its life is over (kubelet/token: requiresRefresh). */
const TOKEN_LIFE_USED = 0.8;
/** By the clock of this machine a token may be over when it comes: no reason to ask for tokens without end. */
const TOKEN_RENEWAL_MIN_MS = 60_000;
/** So long an answer may take: a pod waits, and is tried again, rather than hang. */
const TOKEN_TIMEOUT_MS = 10_000;

/** What a projection asks of a token. */
export interface TokenTerms {
  readonly audience?: string | undefined;
  readonly expirationSeconds?: number | undefined;
}

/** A token, and after how many milliseconds it has to be asked for anew. */
export interface RenewableToken {
  readonly token: string;
  readonly renewInMs: number;
}

/** Owns the tokens of the pod of one UID. */
export class PodTokens {
  readonly #clock: Clock;
  /** By what was asked; times are monotonic. */
  readonly #kept = new Map<string, { readonly token: string; readonly renewAtMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A token bound to the pod: the one it has, or a new one when that is due. Rejects when the API server issues none. */
  async token(client: RestClient, pod: Pod, { audience, expirationSeconds = DEFAULT_TOKEN_SECONDS }: TokenTerms): Promise<RenewableToken> {
    const key = `${String(expirationSeconds)}/${audience ?? ''}`;
    const kept = this.#kept.get(key);
    const leftMs = (kept?.renewAtMs ?? 0) - this.#clock.monotonicMs();
    if (kept !== undefined && leftMs > 0) return { token: kept.token, renewInMs: leftMs };
    const { name = '', namespace = '', uid } = pod.metadata;
    const spec = { audiences: audience === undefined ? [] : [audience], expirationSeconds, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } };
    const account = pod.spec?.serviceAccountName ?? 'default';
    const { token, expirationTimestamp } = await requestToken(client, { namespace, account, spec }, AbortSignal.timeout(TOKEN_TIMEOUT_MS));
    const lifeMs = Date.parse(expirationTimestamp) - this.#clock.nowMs();
    const renewInMs = Math.max(TOKEN_RENEWAL_MIN_MS, lifeMs * TOKEN_LIFE_USED);
    this.#kept.set(key, { token, renewAtMs: this.#clock.monotonicMs() + renewInMs });
    return { token, renewInMs };
  }

  /** Forgets all. */
  clear(): void {
    this.#kept.clear();
  }
}
