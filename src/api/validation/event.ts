/** Validation of events (core/validation events.go): lenient in core/v1, strict in events.k8s.io/v1. */
import type { ApiObject } from '#machinery';
import type { FieldError } from '../kind.ts';
import { sameValue } from '../object.ts';
import type { Event } from '../types/core-v1.ts';
import { goStruct } from './go-struct.ts';
import { dnsSubdomainProblems, labelKeyProblems } from './names.ts';
import { FieldErrors } from './report.ts';

/** Upstream: ReportingInstanceLengthLimit, ActionLengthLimit and ReasonLengthLimit. */
const WORD_MAX_LENGTH = 128;
/** Upstream: NoteLengthLimit. */
const NOTE_MAX_LENGTH = 1024;
const REFERENCE = 'io.k8s.api.core.v1.ObjectReference';

/** An event written through core/v1; new and changed ones alike. */
export function validateCoreEvent(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  checkEvent(errors, object as Event, 'reportingComponent');
  return errors.list;
}

/** A new event written through events.k8s.io: it has a time and none of the members that the time replaces. */
export function validateNewEvent(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const event = object as Event;
  checkEvent(errors, event, 'reportingController');
  checkSeries(errors, event);
  if ((event.eventTime ?? '') === '') errors.required('eventTime');
  const { type = '', source } = event;
  if (type !== 'Normal' && type !== 'Warning') errors.invalid('type', '', `has invalid value: ${type}`);
  for (const member of ['firstTimestamp', 'lastTimestamp', 'count'] as const) if (event[member]) errors.invalid(member, '', 'needs to be unset');
  if (source?.component || source?.host) errors.invalid('source', '', 'needs to be unset');
  return errors.list;
}

/** What a changed event keeps, in upstream's order, and the structure of those that are one. */
const FIXED: readonly (readonly [keyof Event, string?])[] = [
  ['involvedObject', REFERENCE],
  ['reason'],
  ['message'],
  ['source', 'io.k8s.api.core.v1.EventSource'],
  ['firstTimestamp'],
  ['lastTimestamp'],
  ['count'],
  ['reason'],
  ['type'],
  ['eventTime'],
  ['action'],
  ['related', REFERENCE],
  ['reportingComponent'],
  ['reportingInstance'],
];

/** A changed event written through events.k8s.io: only its series may grow. */
export function validateNewEventUpdate(object: ApiObject, old: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const [event, before] = [object as Event, old as Event];
  checkEvent(errors, event, 'reportingController');
  if (!sameValue(event.series, before.series)) checkSeries(errors, event);
  for (const [member, structure] of FIXED) {
    const value = event[member];
    if (sameValue(value, before[member])) continue;
    const shown = structure === undefined || value === undefined ? (value ?? ZEROES[member] ?? null) : goStruct(value, structure);
    errors.invalid(member === 'reportingComponent' ? 'reportingController' : member, shown, 'field is immutable');
  }
  return errors.list;
}

/** What Go prints for an absent member that is neither structure nor time. */
const ZEROES: Readonly<Partial<Record<keyof Event, string | number>>> = { reason: '', message: '', type: '', action: '', count: 0 };

function checkSeries(errors: FieldErrors, { series }: Event): void {
  if (series === undefined) return;
  if ((series.count ?? 0) < 2) errors.invalid('series.count', '', 'should be at least 2');
  if ((series.lastObservedTime ?? '') === '') errors.required('series.lastObservedTime');
}

/** What every event must be: about an object of its namespace, and reported by somebody if it is of the new form. */
function checkEvent(errors: FieldErrors, event: Event, reporter: string): void {
  const { namespace = '' } = event.metadata;
  const about = event.involvedObject.namespace ?? '';
  const isNew = (event.eventTime ?? '') !== '';
  const homeless = namespace === 'default' || (isNew ? namespace === 'kube-system' : namespace === '');
  if (about === '' ? !homeless : !isNew && about !== namespace) errors.invalid('involvedObject.namespace', about, 'does not match event.namespace');
  if (isNew) checkReport(errors, event, reporter);
  errors.invalidAll('namespace', namespace, dnsSubdomainProblems(namespace));
}

function checkReport(errors: FieldErrors, event: Event, reporter: string): void {
  const { reportingComponent = '', reportingInstance = '', action = '', reason = '', message = '' } = event;
  if (reportingComponent === '') errors.required(reporter);
  errors.invalidAll(reporter, reportingComponent, labelKeyProblems(reportingComponent));
  for (const [member, text] of Object.entries({ reportingInstance, action, reason })) {
    if (text === '') errors.required(member);
    if (text.length > WORD_MAX_LENGTH) errors.invalid(member, '', `can have at most ${WORD_MAX_LENGTH} characters`);
  }
  if (message.length > NOTE_MAX_LENGTH) errors.invalid('message', '', `can have at most ${NOTE_MAX_LENGTH} characters`);
}
