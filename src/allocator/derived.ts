/** Derived attributes (KEP 6080): values that a request computes from a device for the constraints of its claim. */
import { CelError, type CompiledExpression, compileExpression, nativeAttribute, type NativeScalar } from '#cel';
import type { AttributeValues } from './attributes.ts';
import type { DeviceEntry } from './device.ts';
import type { Features } from './features.ts';
import { AllocationError } from './refusal.ts';
import type { DeviceAsk } from './device-ask.ts';

/** Evaluates derived attributes in one attempt, each at most once per request and device, and only when a constraint asks for it. */
export class DerivedAttributes {
  readonly #features: Features;
  #compiled: Map<string, CompiledExpression> | undefined;
  #values: Map<DeviceAsk, Map<string, AttributeValues>> | undefined;

  constructor(features: Features) {
    this.#features = features;
  }

  /** The values of the attribute if the request derives it. Throws AllocationError when the expression fails. */
  valuesOf(ask: DeviceAsk, entry: DeviceEntry, attribute: string): AttributeValues | undefined {
    const expression = ask.derived.get(attribute);
    if (expression === undefined) return undefined;
    this.#values ??= new Map();
    let known = this.#values.get(ask);
    if (known === undefined) {
      known = new Map();
      this.#values.set(ask, known);
    }
    const key = `${entry.id} ${attribute}`;
    let values = known.get(key);
    if (values === undefined) {
      values = this.#evaluate(expression, entry, attribute);
      known.set(key, values);
    }
    return values;
  }

  #evaluate(expression: string, entry: DeviceEntry, attribute: string): AttributeValues {
    const { value } = this.#compile(expression, attribute).evaluate(entry.cel);
    const failed = (why: string): AllocationError => new AllocationError(`evaluate derived attribute ${attribute} on device ${entry.id} failed: ${why}`);
    const native = value instanceof CelError ? value.message : nativeAttribute(value);
    if (typeof native === 'string') throw failed(native);
    return { values: new Set(native.values.map(comparable)), isList: native.isList };
  }

  #compile(expression: string, attribute: string): CompiledExpression {
    this.#compiled ??= new Map();
    const known = this.#compiled.get(expression);
    if (known !== undefined) return known;
    const { consumableCapacity, listTypeAttributes } = this.#features;
    const compiled = compileExpression(expression, 'stored', { consumableCapacity, listTypeAttributes }, 'derivedAttribute');
    if ('kind' in compiled) throw new AllocationError(`compile derived attribute ${attribute} failed: ${compiled.message}`);
    this.#compiled.set(expression, compiled);
    return compiled;
  }
}

/** The form in which `attributes.ts` gives published values. */
function comparable(value: NativeScalar): string {
  if (typeof value === 'bigint') return `int:${value}`;
  if (typeof value === 'boolean') return `bool:${value}`;
  return typeof value === 'string' ? `string:${value}` : `version:${value.toString()}`;
}
