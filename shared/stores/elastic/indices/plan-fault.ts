import { errors } from '@elastic/elasticsearch';
import { AppError } from '../../../errors/app-error.ts';
import { causeIn } from '../elastic-requests.ts';

/** HTTP status of an answer of Elasticsearch; undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof errors.ResponseError ? error.statusCode : undefined;
}

/**
 * An error of a request about the index plan, in our words. Too busy and out of reach pass by
 * themselves; what the server refuses needs a person.
 *
 * @param doing as in "it could not …"
 */
export function planFault(error: unknown, doing: string): unknown {
  if (!(error instanceof errors.ElasticsearchClientError)) return error;
  const status = statusOf(error);
  const { type, reason } = causeIn(error instanceof errors.ResponseError ? error.body : undefined);
  const said = `${status ?? error.name} ${type}: ${reason === '' ? error.message : reason}`;
  const passes = status === undefined || status === 429 || status >= 500;
  return passes
    ? new AppError('STORE_UNAVAILABLE', `Elasticsearch could not ${doing} (${said}); try again.`)
    : new AppError(
        'STORE_MISCONFIGURED',
        `Elasticsearch refused to ${doing} (${said}); run "tollgate stores check".`,
      );
}
