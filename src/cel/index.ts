/**
 * cel: the expressions that select devices, from text to verdict.
 *
 * The dialect is Kubernetes' for DRA: one variable, `device`, and the libraries that admission enables. An expression is
 * parsed (`parser.ts`, macros already replaced), checked against declared types (`checker.ts`), judged by its worst case
 * cost (`cost-estimate.ts`) and compiled to closures (`compile.ts`). Errors are values: they travel through operators as
 * in cel-go, which is why `false && error` is false. Running counts the same units of cost as upstream and stops at the
 * same limit; besides, time is linear and nesting bounded, since expressions come from strangers.
 */
export { type CelAttribute, type CelDevice, celDevice } from './device.ts';
export type { CelFeatures } from './environment.ts';
export {
  CEL_SELECTOR_EXPRESSION_MAX_COST,
  CEL_SELECTOR_EXPRESSION_MAX_LENGTH,
  checkSelector,
  compileAnew,
  compileExpression,
  type CompiledExpression,
  type CompileFailure,
  compileSelector,
  type CompiledSelector,
  type Evaluation,
  outcomeOf,
  type Purpose,
  type Selector,
  type SelectorOptions,
  type SelectorOutcome,
} from './selector.ts';
export { nativeAttribute, type NativeAttribute, type NativeScalar } from './native.ts';
export { typeText } from './types.ts';
export { CelError, isList, type Value } from './values.ts';
