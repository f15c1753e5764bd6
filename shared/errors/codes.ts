/**
 * Every error of the world that Tollgate names: code, HTTP status, and what a person can do.
 * The API's README lists them; a test compares both ways.
 */
export const CODES = {
  BAD_REQUEST: { status: 400, title: 'The request is not understood' },
  UNAUTHENTICATED: { status: 401, title: 'A token is needed, or this one is not valid' },
  FORBIDDEN: { status: 403, title: 'This may not be done from there, or with this token' },
  QUOTA_EXCEEDED: { status: 403, title: 'A limit of the project does not allow this' },
  NOT_FOUND: { status: 404, title: 'There is no such thing, or it belongs to another project' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'This address has no such method' },
  CONFLICT: { status: 409, title: 'The same id was used for something else' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The body is larger than allowed' },
  UNSUPPORTED_MEDIA: { status: 415, title: 'The content type or encoding is not supported' },
  FENCED: { status: 409, title: 'Another process has taken over this work' },
  OVERLOADED: { status: 429, title: 'The queue is full; send again after Retry-After' },
  INTERNAL: { status: 500, title: 'An error inside Tollgate' },
  STORE_UNAVAILABLE: { status: 503, title: 'A store does not answer' },
  STORE_MISCONFIGURED: { status: 500, title: 'A store refuses what it is set up for' },
  DISK_FULL: { status: 507, title: 'The disk is full; telemetry is paused' },
  CONFIG_INVALID: { status: 500, title: 'The configuration has problems' },
  INPUT_UNREADABLE: { status: 500, title: 'An input cannot be read' },
  PORT_TAKEN: { status: 500, title: 'The port is taken by another program' },
  CLUSTER_UNAVAILABLE: { status: 502, title: 'A cluster manager does not answer' },
} as const;

export type ErrorCode = keyof typeof CODES;
