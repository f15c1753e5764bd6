import { AppError } from '../../errors/app-error.ts';
import type { ErrorCode } from '../../errors/codes.ts';

/** What of the world an error says, and what to do about it. */
interface Meaning {
  readonly code: ErrorCode;
  readonly what: string;
}

const unavailable = (what: string): Meaning => ({ code: 'STORE_UNAVAILABLE', what });
const misconfigured = (what: string): Meaning => ({ code: 'STORE_MISCONFIGURED', what });

const TLS = misconfigured(
  'its certificate is not trusted; set caFile to the authority that signed it, and check its name',
);
const UNREACHABLE = unavailable('it does not answer; check its address and that it runs');
const STARTING = unavailable('it is starting, stopping or standing by; try again');
const REFUSED = misconfigured('it refuses this user or password; check url and password');
const NO_TABLES = misconfigured('its tables are missing; run "tollgate stores init"');

/** SQLSTATE, or what Node calls it. Source: https://www.postgresql.org/docs/18/errcodes-appendix.html */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: UNREACHABLE,
  ECONNRESET: UNREACHABLE,
  ECONNABORTED: UNREACHABLE,
  EPIPE: UNREACHABLE,
  ETIMEDOUT: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  EAI_AGAIN: UNREACHABLE,
  ENOTFOUND: unavailable('its host name is unknown; check url'),
  SELF_SIGNED_CERT_IN_CHAIN: TLS,
  DEPTH_ZERO_SELF_SIGNED_CERT: TLS,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: TLS,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: TLS,
  CERT_HAS_EXPIRED: TLS,
  ERR_TLS_CERT_ALTNAME_INVALID: TLS,
  '57P01': STARTING,
  '57P02': STARTING,
  '57P03': STARTING,
  '25006': STARTING,
  '25P03': unavailable('a transaction was silent for too long and has been ended; try again'),
  '53300': unavailable('it has no free connection; lower poolSize or raise its max_connections'),
  '57014': unavailable('a statement took longer than statementTimeoutMs; try again'),
  '55P03': unavailable('a lock was not to be had in time; try again'),
  '53100': { code: 'DISK_FULL', what: 'its disk is full; free space there' },
  '28000': REFUSED,
  '28P01': REFUSED,
  '3D000': misconfigured('it has no such database; create it, or correct url'),
  '3F000': NO_TABLES,
  '42P01': NO_TABLES,
  '42501': misconfigured('this user lacks a right; let the owner of the tables be the user of url'),
};

/** Errors of the driver that carry no code, by how they begin. */
const MESSAGES: readonly (readonly [start: string, meaning: Meaning])[] = [
  ['Connection terminated', UNREACHABLE],
  ['timeout exceeded when trying to connect', unavailable('no connection was free in time')],
  ['timeout expired', UNREACHABLE],
  ['Query read timeout', unavailable('it gave no answer in time; try again')],
  ['Client has encountered a connection error', UNREACHABLE],
  ['Client was closed', UNREACHABLE],
  ['The server does not support SSL', misconfigured('it speaks no TLS; turn it on there')],
  ['SASL', REFUSED],
];

function meaningOf(error: Error): Meaning | undefined {
  // Several addresses of one host name: the first one's error says enough.
  if (error instanceof AggregateError && error.errors[0] instanceof Error) {
    return meaningOf(error.errors[0]);
  }
  const code = sqlState(error);
  if (code?.startsWith('08')) return UNREACHABLE;
  const byCode = code === undefined ? undefined : MEANINGS[code];
  return byCode ?? MESSAGES.find(([start]) => error.message.startsWith(start))?.[1];
}

/** SQLSTATE of the server, or the code of Node. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Others were in the way: the whole transaction, done again, may succeed. */
export function isRetryable(error: unknown): boolean {
  const code = sqlState(error);
  return code === '40001' || code === '40P01';
}

/** Whether the connection is of no more use: it is gone, or an answer to it is still under way. */
export function breaksConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  const code = sqlState(error);
  const fromServer = code !== undefined && /^[0-9A-Z]{5}$/.test(code);
  return !fromServer || code.startsWith('57P') || code.startsWith('08') || code === '25P03';
}

/**
 * What an error of PostgreSQL or of the way to it means; the error itself for a bug (SQL,
 * constraint) and for what can be done again.
 *
 * @param where printable address, named in the message
 */
export function postgresError(error: unknown, where: string): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error;
  const meaning = meaningOf(error);
  if (meaning === undefined) return error;
  return new AppError(meaning.code, `PostgreSQL at ${where}: ${meaning.what}`, {
    cause: error,
    details: { sqlState: sqlState(error) },
  });
}
