/** What makes a kind: names, scope, versions and the pure functions that the API server's registry calls for it. */
import type { ApiObject, FieldPath, Json } from '#machinery';
import type { Age } from './columns/age.ts';

/** Validation failed at `path`; the reason and text are those of upstream's field.Error. */
export interface FieldError {
  /** Path as upstream prints it, e.g. `spec.devices.requests[0].exactly.count`. */
  readonly path: string;
  /** FieldValueRequired, FieldValueInvalid, FieldValueDuplicate, FieldValueNotSupported, FieldValueForbidden, FieldValueTooLong, FieldValueTooMany, FieldValueTypeInvalid, FieldValueNotFound, InternalError. */
  readonly reason: string;
  /** The text after the path, e.g. `Required value: name is required`. */
  readonly message: string;
}

/** What strategy functions may look at besides the objects. */
export interface StrategyContext {
  /** Feature gates by name; an unknown gate is off. */
  readonly gates: ReadonlyMap<string, boolean>;
  /** "" for the object itself, otherwise status, binding, ephemeralcontainers, resize … */
  readonly subresource: string;
  /** Now, RFC 3339 in whole seconds. */
  readonly now: string;
  /** Compile-checks a CEL device selector: problems as upstream words them, empty if none. `stored` also admits what only stored expressions may use. */
  readonly checkSelector: (expression: string, stored: boolean) => readonly string[];
  /** Containers may be privileged (upstream: capabilities.AllowPrivileged); default: they may not. */
  readonly allowPrivileged?: boolean | undefined;
}

/** One column of a kind's Table. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date' | 'number';
  readonly format?: string | undefined;
  readonly description: string;
  readonly priority: number;
}

/** What stands in one column of a row. */
export type Cell = Json | Age;

/** How a kind is printed: columns and the cells of an object, in the columns' order. */
export interface TableColumns<T extends ApiObject = ApiObject> {
  readonly columns: readonly Column[];
  cells(object: T): readonly Cell[];
  /** Marks of a row, undefined for most: pods that have ended are Completed (meta/v1 TableRowCondition). */
  conditions?(object: T): readonly Json[] | undefined;
}

/** One served version of a kind. Objects are stored in the kind's storage version. */
export interface KindVersion {
  readonly version: string;
  /** Name of the OpenAPI definition, the key into schema data. */
  readonly definition: string;
  /** Fills defaults in place of absent fields, as upstream does on decoding this version. */
  readonly defaults?: ((object: ApiObject, context: StrategyContext) => ApiObject) | undefined;
  readonly toStorage?: ((object: ApiObject) => ApiObject) | undefined;
  readonly fromStorage?: ((object: ApiObject) => ApiObject) | undefined;
  /** False: a PUT must name the resourceVersion that it was made from (AllowUnconditionalUpdate). Default true. */
  readonly unconditionalUpdate?: boolean | undefined;
}

/** A kind: data and a few functions. Adding one means adding such a value to the list in `kinds.ts`. */
export interface Kind {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly storageVersion: string;
  /** Where the objects are kept if not under the kind's own name: core events serve events.k8s.io too. */
  readonly storedAs?: { readonly group: string; readonly plural: string } | undefined;
  readonly versions: readonly KindVersion[];
  /** Subresources written as the object itself (status, resize, ephemeralcontainers) or as its scale. Others (binding, eviction, log, token) are handled by routes. */
  readonly subresources: readonly string[];
  /** metadata.generation starts at 1 and rises with each change of spec. */
  readonly generation: boolean;
  /** May be created by PUT or apply of an unknown name; some kinds refuse it. */
  readonly createOnUpdate: boolean;
  /** Updates of the object itself have their metadata checked as if they were new once more (Validate<Kind>Update calls Validate<Kind>). */
  readonly checksMetadataAgain?: boolean | undefined;
  /** How the kind's own validation looks at metadata if not as most do: with the generic rules only, so that finalizers need no domain; not at all; on update as if they were new. */
  readonly metadataChecks?: 'generic' | 'none' | 'as-new' | undefined;
  /** What the main endpoint resets, whose setting therefore owns nothing (GetResetFields of the strategy); the status of kinds that have /status unless given. */
  readonly resetByMain?: readonly FieldPath[] | undefined;
  /** What /status resets likewise; the spec unless given. */
  readonly resetByStatus?: readonly FieldPath[] | undefined;
  /** An object without a name gets one, a UUID. */
  readonly namesItself?: boolean | undefined;
  /** Objects that nothing depends on: propagation policies mean nothing to them (rest.Unsupported). */
  readonly dependentless?: boolean | undefined;
  /** A delete that names no propagation policy leaves the dependents alone (DefaultGarbageCollectionPolicy). */
  readonly orphansByDefault?: boolean | undefined;
  /** Problems of a name, DNS subdomain rules unless given. */
  readonly nameProblems?: ((name: string) => readonly string[]) | undefined;
  /** Nobody looks at metadata.generateName (upstream: ValidateClassName, which takes the start of a name for one). */
  readonly anyGenerateName?: boolean | undefined;
  /** Seconds of grace when a delete names none: 30 for pods bound to a node, otherwise 0. */
  readonly gracePeriodSeconds?: ((object: ApiObject) => number) | undefined;
  /** Resets what a create may not set (status, generation) and drops gated fields. Pure: returns the object to validate. */
  readonly prepareForCreate?: ((object: ApiObject, context: StrategyContext) => ApiObject) | undefined;
  /** Resets what an update of this subresource may not change, drops gated fields not in use before. */
  readonly prepareForUpdate?: ((object: ApiObject, old: ApiObject, context: StrategyContext) => ApiObject) | undefined;
  readonly validateCreate?: ((object: ApiObject, context: StrategyContext) => readonly FieldError[]) | undefined;
  readonly validateUpdate?: ((object: ApiObject, old: ApiObject, context: StrategyContext) => readonly FieldError[]) | undefined;
  /** Texts for Warning headers; `old` is there on update. */
  readonly warnings?: ((object: ApiObject, context: StrategyContext, old?: ApiObject) => readonly string[]) | undefined;
  /** Field selectors beyond metadata.name (and metadata.namespace of namespaced kinds): label to value. */
  readonly selectableFields?: ((object: ApiObject) => Readonly<Record<string, string>>) | undefined;
  /** The names of `selectableFields`, so that an unknown one is refused even when nothing is stored. */
  readonly selectableFieldNames?: readonly string[] | undefined;
  /** Those of `selectableFieldNames` that not all releases have, with the first that has them. */
  readonly selectableSince?: Readonly<Record<string, string>> | undefined;
  /** Those of `selectableFieldNames` by which lists find objects without looking at all (upstream: the kind's Indexers). */
  readonly indexedFields?: readonly string[] | undefined;
  readonly table?: TableColumns | undefined;
  /** An annotation that objects are shown with, and tables and PartialObjectMetadata without: upstream keeps it elsewhere. */
  readonly hiddenAnnotation?: string | undefined;
}
