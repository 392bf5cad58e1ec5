/** The two functions of the Reflect metadata proposal that the injector inside @peculiar/x509 insists on at load time. */

type Metadata = Map<unknown, unknown>;

const metadataByTarget = new WeakMap<object, Metadata>();

interface MetadataFunctions {
  getMetadata?: (key: unknown, target: object) => unknown;
  getOwnMetadata?: (key: unknown, target: object) => unknown;
  defineMetadata?: (key: unknown, value: unknown, target: object) => void;
}

/** Adds the functions to Reflect unless something else already did. */
export function installReflectMetadata(): void {
  const reflect: typeof Reflect & MetadataFunctions = Reflect;
  reflect.getMetadata ??= (key, target) => inherited(key, target);
  reflect.getOwnMetadata ??= (key, target) => metadataByTarget.get(target)?.get(key);
  reflect.defineMetadata ??= (key, value, target) => {
    const own = metadataByTarget.get(target) ?? new Map<unknown, unknown>();
    own.set(key, value);
    metadataByTarget.set(target, own);
  };
}

function inherited(key: unknown, target: object): unknown {
  for (let current: object | null = target; current !== null; current = Reflect.getPrototypeOf(current)) {
    const own = metadataByTarget.get(current);
    if (own?.has(key) === true) return own.get(key);
  }
  return undefined;
}
