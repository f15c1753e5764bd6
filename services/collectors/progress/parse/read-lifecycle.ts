import type { LifecycleRecord } from '../../../../shared/contracts/progress-record.ts';
import { field, type JsonObject, textField, toInstant } from './json-field.ts';
import { maskException } from './mask-exception.ts';
import type { RunIdentity } from './read-identity.ts';

export type LifecycleKind = LifecycleRecord['kind'];

/**
 * A started, idle, trigger or terminated event. Only the end has no time: Spark doesn't date it.
 * Source: apache/spark sql/api …/streaming/StreamingQueryListener.scala.
 *
 * @returns the record, or the reason why it is none
 */
export function readLifecycle(
  kind: LifecycleKind,
  event: JsonObject,
  of: RunIdentity,
): LifecycleRecord | string {
  const at = toInstant(field(event, 'timestamp')) ?? null;
  if (at === null && kind !== 'terminated') return 'no-timestamp';
  const exception = field(event, 'exception');
  const failed = kind === 'terminated' && typeof exception === 'string';
  return {
    kind,
    ...of,
    name: Object.hasOwn(event, 'name') ? (textField(event, 'name', 200) ?? null) : undefined,
    at,
    exception: failed ? maskException(exception) : null,
    errorClass: failed ? (textField(event, 'errorClassOnException', 200) ?? null) : null,
  };
}
