/** Event in its two groups; both show one set of stored objects, kept in the form of core/v1. */
import type { ApiObject } from '#machinery';
import { EVENT_COLUMNS } from '../columns/core.ts';
import type { Event as CoreEvent } from '../types/core-v1.ts';
import type { Event as NewEvent } from '../types/events-v1.ts';
import { validateCoreEvent, validateNewEvent, validateNewEventUpdate } from '../validation/event.ts';
import { dnsSubdomainProblems } from '../validation/names.ts';
import { pathSegmentProblems } from '../validation/rbac.ts';
import { defineKind, version } from './define.ts';

const FIELD_NAMES = [
  'involvedObject.kind',
  'involvedObject.namespace',
  'involvedObject.name',
  'involvedObject.uid',
  'involvedObject.apiVersion',
  'involvedObject.resourceVersion',
  'involvedObject.fieldPath',
  'reason',
  'reportingComponent',
  'source',
  'type',
] as const;

function fieldsOf({ involvedObject: object, ...event }: CoreEvent): Readonly<Record<(typeof FIELD_NAMES)[number], string>> {
  return {
    'involvedObject.kind': object.kind ?? '',
    'involvedObject.namespace': object.namespace ?? '',
    'involvedObject.name': object.name ?? '',
    'involvedObject.uid': object.uid ?? '',
    'involvedObject.apiVersion': object.apiVersion ?? '',
    'involvedObject.resourceVersion': object.resourceVersion ?? '',
    'involvedObject.fieldPath': object.fieldPath ?? '',
    reason: event.reason ?? '',
    reportingComponent: event.reportingComponent ?? '',
    source: event.source?.component || event.reportingComponent || '',
    type: event.type ?? '',
  };
}

/** Field labels of events.k8s.io and the core labels they stand for (events/v1 AddFieldLabelConversionsForEvent). */
const EVENTS_FIELDS: Readonly<Record<string, (typeof FIELD_NAMES)[number]>> = {
  'regarding.kind': 'involvedObject.kind',
  'regarding.namespace': 'involvedObject.namespace',
  'regarding.name': 'involvedObject.name',
  'regarding.uid': 'involvedObject.uid',
  'regarding.apiVersion': 'involvedObject.apiVersion',
  'regarding.resourceVersion': 'involvedObject.resourceVersion',
  'regarding.fieldPath': 'involvedObject.fieldPath',
  reason: 'reason',
  reportingController: 'reportingComponent',
  type: 'type',
};

function eventsFieldsOf(event: CoreEvent): Readonly<Record<string, string>> {
  const fields = fieldsOf(event);
  return Object.fromEntries(Object.entries(EVENTS_FIELDS).map(([label, core]) => [label, fields[core]]));
}

/** These two are printed even when empty (no omitempty upstream), and so is the pointer-typed time. */
function printedEmpty(object: ApiObject): ApiObject {
  const event = object as CoreEvent;
  return { ...event, reportingComponent: event.reportingComponent ?? '', reportingInstance: event.reportingInstance ?? '' } as ApiObject;
}

const SHARED = {
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  selectableFieldNames: FIELD_NAMES,
  selectableFields: (object: ApiObject) => fieldsOf(object as CoreEvent),
  nameProblems: pathSegmentProblems,
  metadataChecks: 'none' as const,
  dependentless: true,
  validateCreate: validateCoreEvent,
  validateUpdate: validateCoreEvent,
  table: EVENT_COLUMNS,
};

/** Events of the core group. */
export const EVENT = defineKind({
  ...SHARED,
  group: '',
  versions: [version('v1', 'io.k8s.api.core.v1.Event', printedEmpty)],
});

/** The same events as events.k8s.io shows them; stored among the core events. */
export const EVENTS_EVENT = defineKind({
  ...SHARED,
  nameProblems: dnsSubdomainProblems,
  metadataChecks: undefined,
  validateCreate: validateNewEvent,
  validateUpdate: validateNewEventUpdate,
  selectableFieldNames: Object.keys(EVENTS_FIELDS),
  selectableFields: (object) => eventsFieldsOf(object as CoreEvent),
  group: 'events.k8s.io',
  storedAs: { group: '', plural: 'events' },
  versions: [version('v1', 'io.k8s.api.events.v1.Event', undefined, { toStorage: toCoreEvent, fromStorage: fromCoreEvent })],
});

/** events.k8s.io/v1 to core/v1: regarding, note and the deprecated members have other names there. */
export function toCoreEvent(object: ApiObject): ApiObject {
  const { regarding, note, reportingController, deprecatedCount, deprecatedFirstTimestamp, deprecatedLastTimestamp, deprecatedSource, ...same } =
    object as NewEvent;
  return defined({
    ...same,
    apiVersion: 'v1',
    involvedObject: regarding ?? {},
    message: note,
    reportingComponent: reportingController ?? '',
    reportingInstance: same.reportingInstance ?? '',
    count: deprecatedCount,
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    source: deprecatedSource ?? {},
  });
}

/** core/v1 to events.k8s.io/v1; the time is null there when the event carries none. */
export function fromCoreEvent(object: ApiObject): ApiObject {
  const { involvedObject, message, reportingComponent, count, firstTimestamp, lastTimestamp, source, ...same } = object as CoreEvent;
  return defined({
    ...same,
    apiVersion: 'events.k8s.io/v1',
    eventTime: same.eventTime ?? null,
    regarding: involvedObject,
    note: message,
    reportingController: reportingComponent || undefined,
    reportingInstance: same.reportingInstance || undefined,
    deprecatedCount: count,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedSource: source,
  });
}

function defined(object: ApiObject & Readonly<Record<string, unknown>>): ApiObject {
  const { metadata, ...rest } = object;
  return { ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)), metadata };
}
