/** Validation of LimitRange (core/validation ValidateLimitRange). */
import { type ApiObject, Quantity } from '#machinery';
import type { FieldError } from '../kind.ts';
import type { LimitRange, LimitRangeItem } from '../types/core-v1.ts';
import { labelKeyProblems } from './names.ts';
import { FieldErrors } from './report.ts';
import { allowsOvercommit, amountOf, checkContainerResourceName, checkResourceName } from './resource-names.ts';

type Amounts = Readonly<Record<string, string>>;

const TYPES: readonly string[] = ['Pod', 'Container', 'PersistentVolumeClaim'];
/** Above it milli-units overflow (resource.MaxMilliValue). */
const MAX_MILLI_VALUE = (2n ** 63n - 1n) / 1000n;

/** A LimitRange: each type once, the smallest amount not above the usual ones, those not above the largest. */
export function validateLimitRange(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const types = new Set<string>();
  ((object as LimitRange).spec?.limits ?? []).forEach((item, index) => {
    const at = `spec.limits[${index}]`;
    checkType(errors, `${at}.type`, item.type);
    if (types.has(item.type)) errors.duplicate(`${at}.type`, item.type);
    types.add(item.type);
    checkItem(errors, at, item);
  });
  return errors.list;
}

function checkType(errors: FieldErrors, path: string, type: string): void {
  const problems = labelKeyProblems(type);
  errors.invalidAll(path, type, problems);
  if (problems.length === 0 && !type.includes('/') && !TYPES.includes(type)) errors.invalid(path, type, 'must be a standard limit type or fully qualified');
}

function checkItem(errors: FieldErrors, at: string, item: LimitRangeItem): void {
  const ofPod = item.type === 'Pod';
  for (const member of ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const) {
    const amounts = item[member] ?? {};
    const isDefault = member === 'default' || member === 'defaultRequest';
    if (ofPod && isDefault) {
      if (Object.keys(amounts).length > 0) errors.forbidden(`${at}.${member}`, "may not be specified when `type` is 'Pod'");
      continue;
    }
    if (member === 'maxLimitRequestRatio') checkStorage(errors, at, item);
    for (const name of Object.keys(amounts)) checkLimitName(errors, `${at}.${member}[${name}]`, name, item.type);
  }
  checkOrders(errors, at, ofPod ? { ...item, default: undefined, defaultRequest: undefined } : item);
}

function checkLimitName(errors: FieldErrors, path: string, name: string, type: string): void {
  if (type === 'Pod' || type === 'Container') checkContainerResourceName(errors, path, name);
  else checkResourceName(errors, path, name);
}

function checkStorage(errors: FieldErrors, at: string, { type, min, max }: LimitRangeItem): void {
  if (type === 'PersistentVolumeClaim' && min?.['storage'] === undefined && max?.['storage'] === undefined)
    errors.required(`${at}.limits`, 'either minimum or maximum storage value is required, but neither was provided');
}

type Bound = 'min' | 'max' | 'default' | 'defaultRequest';

/** What may not be greater than what, in upstream's order; the third is the member that is blamed, the fourth the one whose value is shown. */
const ORDERS: readonly (readonly [Bound, Bound, Bound, Bound])[] = [
  ['min', 'max', 'min', 'min'],
  ['min', 'defaultRequest', 'defaultRequest', 'defaultRequest'],
  ['defaultRequest', 'max', 'defaultRequest', 'defaultRequest'],
  ['defaultRequest', 'default', 'defaultRequest', 'defaultRequest'],
  ['min', 'default', 'default', 'min'],
  ['default', 'max', 'default', 'max'],
];

function checkOrders(errors: FieldErrors, at: string, item: LimitRangeItem): void {
  const { min = {}, max = {}, default: limit = {}, defaultRequest: request = {}, maxLimitRequestRatio: ratios = {} } = item;
  const bounds = { min, max, default: limit, defaultRequest: request };
  for (const name of new Set([max, min, limit, request, ratios].flatMap(Object.keys))) {
    for (const [low, high, blamed, shown] of ORDERS) {
      const [less, more, value] = [bounds[low][name], bounds[high][name], bounds[shown][name]];
      if (less === undefined || more === undefined || amountOf(less).compare(amountOf(more)) <= 0) continue;
      const words = high === 'default' && low === 'defaultRequest' ? 'default limit' : WORDS[high];
      errors.invalid(`${at}.${blamed}[${name}]`, value, `${WORDS[low]} value ${less} is greater than ${words} value ${more}`);
    }
    checkRatio(errors, `${at}.maxLimitRequestRatio[${name}]`, { ratio: ratios[name], min: min[name], max: max[name] });
    checkEqual(errors, `${at}.defaultRequest[${name}]`, { name, limit, request });
  }
}

/** How upstream's texts call the members. */
const WORDS: Readonly<Record<Bound, string>> = { min: 'min', max: 'max', default: 'default', defaultRequest: 'default request' };

function checkRatio(errors: FieldErrors, path: string, { ratio, min, max }: Readonly<Record<'ratio' | 'min' | 'max', string | undefined>>): void {
  if (ratio === undefined) return;
  const most = amountOf(ratio);
  if (most.compare(Quantity.of(1)) < 0) errors.invalid(path, ratio, `ratio ${ratio} is less than 1`);
  if (min === undefined || max === undefined) return;
  const amounts = [most, amountOf(max), amountOf(min)] as const;
  const small = amounts.every((amount) => amount.value() < MAX_MILLI_VALUE);
  const [given, large, little] = amounts.map((amount) => Number(small ? amount.milliValue() : amount.value())) as [number, number, number];
  const limit = large / little;
  if ((small ? given / 1000 : given) > limit) errors.invalid(path, ratio, `ratio ${ratio} is greater than max/min = ${limit.toFixed(6)}`);
}

/** What cannot be promised twice is limited to what is asked for. */
function checkEqual(errors: FieldErrors, path: string, { name, limit, request }: { name: string; limit: Amounts; request: Amounts }): void {
  const [most, asked] = [limit[name], request[name]];
  if (most === undefined || asked === undefined || allowsOvercommit(name) || amountOf(most).equals(amountOf(asked))) return;
  errors.invalid(path, asked, `default value ${most} must equal to defaultRequest value ${asked} in ${name}`);
}
