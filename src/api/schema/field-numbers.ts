/** The fields of upstream's types in their order, with the numbers that the protobuf encoding gives them. */
import raw from './field-numbers.json' with { type: 'json' };

/** A field of a type. */
export interface NumberedField {
  readonly number: number;
  /** Its name in JSON; of an embedded structure the name of its message. */
  readonly name: string;
  /** Go embeds the structure: JSON shows its members one level up. */
  readonly embedded: boolean;
}

const written: Readonly<Record<string, string>> = raw;
const tables = new Map<string, readonly NumberedField[]>();

/** The names of all types that have numbers. */
export const numberedTypes: readonly string[] = Object.keys(written);

/** The fields of a definition or embedded message; none for a type without numbers. */
export function numberedFields(type: string): readonly NumberedField[] {
  const known = tables.get(type);
  if (known !== undefined) return known;
  const entries = (written[type] ?? '').split(' ').filter((entry) => entry !== '');
  const fields = entries.map((entry): NumberedField => {
    const [number = '', name = ''] = entry.split(':');
    return { number: Number(number), name: name.replace(/^\+/, ''), embedded: name.startsWith('+') };
  });
  tables.set(type, fields);
  return fields;
}
