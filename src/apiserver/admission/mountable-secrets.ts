/** Accounts whose pods may refer only to secrets that the account names (upstream: limitSecretReferences of the ServiceAccount plugin). */
import { type Container, MOUNTABLE_SECRETS_ANNOTATION, type PodSpec, type ServiceAccount } from '#api';

/** What Go's strconv.ParseBool takes for true. */
const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);

/** Why the account does not allow the pod's first secret that it does not name; undefined when it allows all, or does not ask. */
export function mountableSecretsProblem(
  { initContainers = [], containers, volumes = [], imagePullSecrets = [] }: PodSpec,
  account: ServiceAccount,
): string | undefined {
  if (!TRUE.has(account.metadata.annotations?.[MOUNTABLE_SECRETS_ANNOTATION] ?? '')) return undefined;
  const mountable = new Set((account.secrets ?? []).map(({ name }) => name));
  const pulling = new Set((account.imagePullSecrets ?? []).map(({ name }) => name));
  const references: readonly Reference[] = [
    ...volumes.map(({ secret }) => ({ what: 'volume with', secret: secret?.secretName })),
    ...initContainers.flatMap((container) => referencesOf(container, 'init container')),
    ...containers.flatMap((container) => referencesOf(container, 'container')),
  ];
  const foreign = references.find(({ secret }) => secret !== undefined && !mountable.has(secret));
  const name = account.metadata.name ?? '';
  if (foreign !== undefined)
    return `${foreign.what} secret.secretName="${foreign.secret ?? ''}" is not allowed because service account ${name} does not reference that secret`;
  const pulled = imagePullSecrets.findIndex((secret) => !pulling.has(secret.name));
  if (pulled < 0) return undefined;
  return `imagePullSecrets[${String(pulled)}].name="${imagePullSecrets[pulled]?.name ?? ''}" is not allowed because service account ${name} does not reference that imagePullSecret`;
}

/** Who refers, and to which secret, if any. */
interface Reference {
  readonly what: string;
  readonly secret: string | undefined;
}

function referencesOf({ name, env = [], envFrom = [] }: Container, kind: string): readonly Reference[] {
  return [
    ...env.map((variable) => ({ what: `${kind} ${name} with envVar ${variable.name} referencing`, secret: variable.valueFrom?.secretKeyRef?.name })),
    ...envFrom.map(({ secretRef }) => ({ what: `${kind} ${name} with envFrom referencing`, secret: secretRef?.name })),
  ];
}
