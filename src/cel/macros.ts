/** Macros: calls that the parser replaces by comprehensions before anything is judged. */
import { type CallExpr, children, type ComprehensionExpr, type Expr, type ListExpr, type MapExpr } from './ast.ts';
import type { ErrorList } from './source.ts';

/** Name of the value that a macro's loop builds up; no source can spell it. */
export const ACCUMULATOR = '@result';

/** Which macros an environment has. */
export interface MacroSet {
  readonly optionals: boolean;
  readonly bindings: boolean;
  readonly twoVariables: boolean;
  readonly lists: boolean;
}

/** A call that might be a macro. `at` is its place, which everything in the expansion takes over. */
export interface MacroCall {
  readonly at: number;
  readonly name: string;
  readonly target?: Expr | undefined;
  readonly args: readonly Expr[];
}

/** Builds nodes that all stand at one place. */
class Build {
  readonly at: number;
  readonly errors: ErrorList;

  constructor(at: number, errors: ErrorList) {
    this.at = at;
    this.errors = errors;
  }
  literal(value: boolean | bigint | string): Expr {
    return { kind: 'literal', at: this.at, value };
  }
  ident(name: string): Expr {
    return { kind: 'ident', at: this.at, name };
  }
  accu(): Expr {
    return this.ident(ACCUMULATOR);
  }
  call(name: string, ...args: Expr[]): CallExpr {
    return { kind: 'call', at: this.at, name, args };
  }
  method(name: string, target: Expr): CallExpr {
    return { kind: 'call', at: this.at, name, target, args: [] };
  }
  list(...elements: Expr[]): ListExpr {
    return { kind: 'list', at: this.at, elements, optional: new Set() };
  }
  emptyMap(): MapExpr {
    return { kind: 'map', at: this.at, entries: [] };
  }
  fold(vars: readonly string[], range: Expr, loop: { init: Expr; condition: Expr; step: Expr; result: Expr; accuVar?: string }): ComprehensionExpr {
    return { kind: 'comprehension', at: this.at, range, iterVar: vars[0] ?? '', iterVar2: vars[1], accuVar: ACCUMULATOR, ...loop };
  }
}

/** An expansion; undefined after an error was recorded. */
type Expansion = Expr | undefined;

/** The macro's expansion; `none` when the call is no macro; `failed` when its arguments were refused and the error is recorded. */
export function expandMacro(call: MacroCall, macros: MacroSet, errors: ErrorList): { kind: 'none' } | { kind: 'failed' } | { kind: 'expanded'; expr: Expr } {
  const expand = macroFor(call, macros);
  if (expand === undefined) return { kind: 'none' };
  const expr = expand(new Build(call.at, errors), call);
  if (expr === NOT_A_MACRO) return { kind: 'none' };
  return expr === undefined ? { kind: 'failed' } : { kind: 'expanded', expr };
}

const NOT_A_MACRO: Expr = { kind: 'ident', at: -1, name: '' };

type Expander = (build: Build, call: MacroCall) => Expansion;

function macroFor(call: MacroCall, macros: MacroSet): Expander | undefined {
  if (call.target === undefined) return call.name === 'has' && call.args.length === 1 ? expandHas : undefined;
  const key = `${call.name}:${call.args.length}`;
  return (
    STANDARD[key] ??
    (macros.optionals ? OPTIONAL[key] : undefined) ??
    (macros.bindings && key === 'bind:3' ? expandBind : undefined) ??
    (macros.lists && key === 'sortBy:2' ? sortBy : undefined) ??
    (macros.twoVariables ? TWO_VARIABLES[key] : undefined)
  );
}

const STANDARD: Readonly<Record<string, Expander>> = {
  'all:2': (build, call) => quantifier(build, call, 1, all),
  'exists:2': (build, call) => quantifier(build, call, 1, exists),
  'exists_one:2': (build, call) => quantifier(build, call, 1, existsOne),
  'map:2': expandMap,
  'map:3': expandMap,
  'filter:2': expandFilter,
};

const OPTIONAL: Readonly<Record<string, Expander>> = {
  'optMap:2': (build, call) => optionalMap(build, call, (value) => build.call('optional.of', value)),
  'optFlatMap:2': (build, call) => optionalMap(build, call, (value) => value),
};

const TWO_VARIABLES: Readonly<Record<string, Expander>> = {
  'all:3': (build, call) => quantifier(build, call, 2, all),
  'exists:3': (build, call) => quantifier(build, call, 2, exists),
  'exists_one:3': (build, call) => quantifier(build, call, 2, existsOne),
  'existsOne:3': (build, call) => quantifier(build, call, 2, existsOne),
  'transformList:3': transformList,
  'transformList:4': transformList,
  'transformMap:3': (build, call) => transformMap(build, call, 'map'),
  'transformMap:4': (build, call) => transformMap(build, call, 'map'),
  'transformMapEntry:3': (build, call) => transformMap(build, call, 'entry'),
  'transformMapEntry:4': (build, call) => transformMap(build, call, 'entry'),
};

function expandHas(build: Build, call: MacroCall): Expansion {
  const arg = call.args[0];
  if (arg?.kind === 'select' && !arg.testOnly) return { kind: 'select', at: build.at, operand: arg.operand, field: arg.field, testOnly: true };
  build.errors.add(arg?.at ?? build.at, 'invalid argument to has() macro');
  return undefined;
}

/** A name that older expansions use for their accumulator; new ones still keep it free. */
const OLD_ACCUMULATOR = '__result__';

/** The names of the iteration variables, or undefined after recording why they cannot be. */
function variables(build: Build, call: MacroCall, count: 1 | 2, refusal = 'argument must be a simple name'): string[] | undefined {
  const args = call.args.slice(0, count);
  const refuse = (arg: Expr | undefined, message: string): undefined => {
    build.errors.add(arg?.at ?? build.at, message);
    return undefined;
  };
  const names: string[] = [];
  for (const arg of args) {
    if (arg.kind !== 'ident' || arg.name.startsWith('.')) return refuse(arg, refusal);
    names.push(arg.name);
  }
  if (count === 2 && names[0] === names[1]) return refuse(args[1], `duplicate variable name: ${names[0]}`);
  const reserved = names.indexOf(OLD_ACCUMULATOR);
  return reserved < 0 ? names : refuse(args[reserved], 'iteration variable overwrites accumulator variable');
}

/** How map, filter and sortBy word it. */
const NO_IDENTIFIER = 'argument is not an identifier';

type Loop = Parameters<Build['fold']>[2];

function quantifier(build: Build, call: MacroCall, count: 1 | 2, loop: (build: Build, predicate: Expr) => Loop): Expansion {
  const names = variables(build, call, count);
  const predicate = call.args[count];
  if (names === undefined || predicate === undefined || call.target === undefined) return undefined;
  return build.fold(names, call.target, loop(build, predicate));
}

function all(build: Build, predicate: Expr): Loop {
  return {
    init: build.literal(true),
    condition: build.call('@not_strictly_false', build.accu()),
    step: build.call('_&&_', build.accu(), predicate),
    result: build.accu(),
  };
}

function exists(build: Build, predicate: Expr): Loop {
  return {
    init: build.literal(false),
    condition: build.call('@not_strictly_false', build.call('!_', build.accu())),
    step: build.call('_||_', build.accu(), predicate),
    result: build.accu(),
  };
}

function existsOne(build: Build, predicate: Expr): Loop {
  return {
    init: build.literal(0n),
    condition: build.literal(true),
    step: build.call('_?_:_', predicate, build.call('_+_', build.accu(), build.literal(1n)), build.accu()),
    result: build.call('_==_', build.accu(), build.literal(1n)),
  };
}

/** A loop that appends `value` where `predicate` holds. */
function collect(build: Build, value: Expr, predicate?: Expr): Loop {
  const append = build.call('_+_', build.accu(), build.list(value));
  return {
    init: build.list(),
    condition: build.literal(true),
    step: predicate === undefined ? append : build.call('_?_:_', predicate, append, build.accu()),
    result: build.accu(),
  };
}

function expandMap(build: Build, call: MacroCall): Expansion {
  const names = variables(build, call, 1, NO_IDENTIFIER);
  const [, first, second] = call.args;
  if (names === undefined || first === undefined || call.target === undefined) return undefined;
  return build.fold(names, call.target, second === undefined ? collect(build, first) : collect(build, second, first));
}

function expandFilter(build: Build, call: MacroCall): Expansion {
  const names = variables(build, call, 1, NO_IDENTIFIER);
  const [variable, predicate] = call.args;
  if (names === undefined || variable === undefined || call.target === undefined) return undefined;
  return build.fold(names, call.target, collect(build, variable, predicate));
}

function transformList(build: Build, call: MacroCall): Expansion {
  const names = variables(build, call, 2);
  const [, , first, second] = call.args;
  if (names === undefined || first === undefined || call.target === undefined) return undefined;
  return build.fold(names, call.target, second === undefined ? collect(build, first) : collect(build, second, first));
}

function transformMap(build: Build, call: MacroCall, form: 'map' | 'entry'): Expansion {
  const names = variables(build, call, 2);
  const value = call.args.at(-1);
  const predicate = call.args.length === 4 ? call.args[2] : undefined;
  if (names === undefined || value === undefined || call.target === undefined) return undefined;
  const insert =
    form === 'map' ? build.call('cel.@mapInsert', build.accu(), build.ident(names[0] ?? ''), value) : build.call('cel.@mapInsert', build.accu(), value);
  return build.fold(names, call.target, {
    init: build.emptyMap(),
    condition: build.literal(true),
    step: predicate === undefined ? insert : build.call('_?_:_', predicate, insert, build.accu()),
    result: build.accu(),
  });
}

/** A loop over nothing whose result sees `name`: how names are bound. */
function bound(build: Build, name: string, value: Expr, body: Expr): Expr {
  return build.fold(['#unused'], build.list(), { accuVar: name, init: value, condition: build.literal(false), step: build.ident(name), result: body });
}

function expandBind(build: Build, call: MacroCall): Expansion {
  if (call.target?.kind !== 'ident' || call.target.name !== 'cel') return NOT_A_MACRO;
  const [variable, value, body] = call.args;
  if (value === undefined || body === undefined) return undefined;
  if (variable?.kind !== 'ident' || variable.name.startsWith('.')) {
    build.errors.add(variable?.at ?? build.at, 'cel.bind() variable names must be simple identifiers');
    return undefined;
  }
  return bound(build, variable.name, value, body);
}

/** `list.sortBy(x, key)`: the keys are computed by a loop, then the list is sorted by them. */
function sortBy(build: Build, call: MacroCall): Expansion {
  const names = variables(build, call, 1, NO_IDENTIFIER);
  const key = call.args[1];
  if (names === undefined || key === undefined || call.target === undefined) return undefined;
  const input = '@__sortBy_input__';
  const keys = build.fold(names, build.ident(input), collect(build, key));
  return bound(build, input, call.target, { kind: 'call', at: build.at, name: '@sortByAssociatedKeys', target: build.ident(input), args: [keys] });
}

function optionalMap(build: Build, call: MacroCall, wrap: (value: Expr) => Expr): Expansion {
  const [variable, body] = call.args;
  if (variable?.kind !== 'ident' || variable.name.startsWith('.')) {
    build.errors.add(variable?.at ?? build.at, `${call.name}() variable name must be a simple identifier`);
    return undefined;
  }
  if (body === undefined || call.target === undefined) return undefined;
  // The target stands in the expansion twice, so chains of these grow exponentially: upstream never ends on long ones.
  if (sizeOf(call.target) > MAX_REPEATED_NODES) {
    build.errors.add(build.at, `${call.name}() is nested too deeply`);
    return undefined;
  }
  const value = wrap(bound(build, variable.name, build.method('value', call.target), body));
  const expanded = build.call('_?_:_', build.method('hasValue', call.target), value, build.call('optional.none'));
  SIZES.set(expanded, 2 * sizeOf(call.target) + sizeOf(body));
  return expanded;
}

/** The largest expression, repetitions counted, that may be repeated once more. */
const MAX_REPEATED_NODES = 10_000;
/** Sizes of expansions that hold their target twice. */
const SIZES = new WeakMap<Expr, number>();

/** How many nodes an expression has, each repetition counted. */
function sizeOf(expr: Expr): number {
  return SIZES.get(expr) ?? children(expr).reduce((sum, child) => sum + sizeOf(child), 1);
}
