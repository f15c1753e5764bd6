/** What a server's refusal of a write means. */
export type WriteAnswer =
  /** All points that can be stored are; those older than the retention are not. */
  | { readonly kind: 'beyond-retention'; readonly dropped: number | undefined }
  /** The server's own limit of series. */
  | { readonly kind: 'series-limit' }
  /** Some points are refused, and whether the others are stored is not known. */
  | {
      readonly kind: 'refused';
      readonly reason: 'type-conflict' | 'malformed';
      readonly detail: string;
    }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'misconfigured'; readonly what: string }
  /** As `again`, and a person has to make room. */
  | { readonly kind: 'full' }
  /** Not known whether it is stored; the same again is right. */
  | { readonly kind: 'again' };

const RETENTION = /beyond retention policy|outside (?:of )?retention policy/i;
const SERIES_LIMIT = /max-series-per-database|max-values-per-tag|max series|cardinality limit/i;
const FULL = /no space left on device|disk quota exceeded/i;
const CONFLICT = /field type conflict|already exists as type/i;
const OF_POINTS =
  /partial write|unable to parse|invalid (?:number|boolean|field|tag|point)|missing (?:field|tag|measurement)|duplicate tag|max key length|time outside range|bad timestamp/i;

function droppedOf(text: string): number | undefined {
  const found = /dropped[= ](\d+)/.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

function ofRefusedPoints(text: string): WriteAnswer {
  const detail = text.slice(0, 500);
  if (CONFLICT.test(text)) return { kind: 'refused', reason: 'type-conflict', detail };
  if (SERIES_LIMIT.test(text)) return { kind: 'series-limit' };
  if (RETENTION.test(text)) return { kind: 'beyond-retention', dropped: droppedOf(text) };
  if (OF_POINTS.test(text)) return { kind: 'refused', reason: 'malformed', detail };
  // Else a batch of good points would be quarantined for a fault of the set-up.
  return { kind: 'misconfigured', what: `refuses writes: ${text.slice(0, 200)}` };
}

/**
 * Sorts the answers of InfluxDB 1.8 and 2.x that aren't 2xx. A 1.8 server answers 400 and has
 * written the good points; a 2.x server answers 400 having written none, or 422 having written the
 * good ones. Both answer 500 when a write took too long, and write it all the same.
 */
export function sortWriteAnswer(status: number, text: string): WriteAnswer {
  switch (status) {
    case 400:
    case 422:
      return ofRefusedPoints(text);
    case 401:
      return { kind: 'misconfigured', what: "doesn't accept the user and password or the token" };
    case 403:
      return { kind: 'misconfigured', what: 'gives no right to write' };
    case 404:
      return { kind: 'misconfigured', what: 'has no such database, bucket or address' };
    case 413:
      return { kind: 'too-large' };
    default:
      if (FULL.test(text)) return { kind: 'full' };
      return /retention policy not found/i.test(text)
        ? { kind: 'misconfigured', what: 'has no such retention policy' }
        : { kind: 'again' };
  }
}
