import { field, type JsonObject, textField } from './json-field.ts';

export interface RunIdentity {
  readonly query: string;
  readonly run: string;
  readonly application: string;
}

/** Spark's are UUIDs; other writers' ids pass when they can be a tag. */
const ID = /^[\w.:-]{1,64}$/;

/** What a record says of the query and run it belongs to, or the reason why it can't be used. */
export function readIdentity(object: JsonObject, application: string): RunIdentity | string {
  const query = field(object, 'id');
  const run = field(object, 'runId');
  if (typeof query !== 'string' || !ID.test(query)) return 'no-query-id';
  if (typeof run !== 'string' || !ID.test(run)) return 'no-run-id';
  return { query, run, application };
}

/** Application ids are short tokens of the cluster manager's; anything else is no application. */
export function readApplication(object: JsonObject): string {
  const text = textField(object, 'application', 200) ?? textField(object, 'applicationId', 200);
  return text !== undefined && /^[\w.:-]{1,100}$/.test(text) ? text : '';
}
