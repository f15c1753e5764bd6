import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../../../shared/errors/app-error.ts';
import { CODES, type ErrorCode } from '../../../shared/errors/codes.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  /** Limits that refuse, as restLimitReason has them. */
  readonly reasons?: readonly object[];
}

/** The only place that chooses an HTTP status. */
function problem(code: ErrorCode, detail: string, errors?: Problem['errors']): Problem {
  const { status, title } = CODES[code];
  const type = `urn:tollgate:problem:${code.toLowerCase().replaceAll('_', '-')}`;
  return { type, title, status, detail, code, ...(errors === undefined ? {} : { errors }) };
}

const HIDDEN = 'the error is in the log of Tollgate';

/** Codes whose message may name a file or another inner thing of the machine. */
const INNER: ReadonlySet<ErrorCode> = new Set(['INTERNAL', 'CONFIG_INVALID', 'INPUT_UNREADABLE']);

function isErrorList(value: unknown): value is NonNullable<Problem['errors']> {
  return Array.isArray(value) && value.every((one) => typeof one?.message === 'string');
}

function isHttpError(error: unknown): error is Error & { status: number } {
  return error instanceof Error && 'status' in error && typeof error.status === 'number';
}

/** RFC 9457 for whatever was thrown; an unknown error tells nothing of itself. */
export function toProblem(error: unknown): Problem {
  if (error instanceof AppError) {
    const errors = error.details['errors'];
    const detail = INNER.has(error.code) ? HIDDEN : error.message;
    const told = problem(error.code, detail, isErrorList(errors) ? errors : undefined);
    const reasons = error.details['reasons'];
    return Array.isArray(reasons) ? { ...told, reasons } : told;
  }
  if (isHttpError(error)) {
    if (error.status === 404) return problem('NOT_FOUND', 'there is nothing here');
    if (error.status === 413) {
      const limit = 'limit' in error ? ` than ${error.limit} bytes` : '';
      return problem('PAYLOAD_TOO_LARGE', `the body is larger${limit}; split it`);
    }
    if (error.status === 415) return problem('UNSUPPORTED_MEDIA', error.message);
    if (error.status < 500) return problem('BAD_REQUEST', 'the request cannot be read');
  }
  return problem('INTERNAL', HIDDEN);
}

const MAY_RETRY: ReadonlySet<ErrorCode> = new Set(['OVERLOADED', 'QUOTA_EXCEEDED']);

function retryAfterSeconds(error: unknown): number | undefined {
  if (!(error instanceof AppError)) return undefined;
  const ms = error.details['retryAfterMs'];
  if (error.code === 'QUOTA_EXCEEDED' && ms === undefined) return undefined;
  if (!MAY_RETRY.has(error.code) && CODES[error.code].status !== 503) return undefined;
  return Math.max(1, Math.ceil((typeof ms === 'number' ? ms : 1_000) / 1_000));
}

/** What to bring, as RFC 6750 section 3 says it. */
function challengeOf(error: unknown): string | undefined {
  if (!(error instanceof AppError)) return undefined;
  const { code, details } = error;
  if (code === 'UNAUTHENTICATED') {
    const fault = details['presented'] === undefined ? '' : ', error="invalid_token"';
    return `Bearer realm="tollgate"${fault}`;
  }
  const scope = details['scope'];
  return code === 'FORBIDDEN' && typeof scope === 'string'
    ? `Bearer realm="tollgate", error="insufficient_scope", scope="${scope}"`
    : undefined;
}

/** Answers with the problem of whatever was thrown, and logs what a person must look at. */
export function problemSender(logger: Logger) {
  return (error: unknown, request: IncomingMessage, response: ServerResponse): void => {
    const problem = toProblem(error);
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    if (problem.status >= 500) {
      const { stack } = error instanceof Error ? error : new Error(String(error));
      logger.error({ method: request.method, path, stack }, problem.detail);
    }
    if (response.headersSent) {
      // The answer is half out: only cutting it tells the client that it isn't whole.
      response.destroy();
      return;
    }
    const seconds = retryAfterSeconds(error);
    if (seconds !== undefined) response.setHeader('Retry-After', String(seconds));
    const challenge = challengeOf(error);
    if (challenge !== undefined) response.setHeader('WWW-Authenticate', challenge);
    const body = JSON.stringify({ ...problem, instance: path });
    response.writeHead(problem.status, {
      'content-type': 'application/problem+json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
    });
    response.end(body);
  };
}
