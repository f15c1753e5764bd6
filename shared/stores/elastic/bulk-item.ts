import { causeIn, type ElasticAnswer } from './elastic-requests.ts';

/**
 * What became of one document, or of the whole bulk.
 * `later`: the server is busy or away · `full`: its disk is · `refused`: this document never fits ·
 * `wrong`: a person must change something.
 */
export type BulkFate =
  | { readonly kind: 'stored' | 'duplicate' }
  | { readonly kind: 'later' | 'full' | 'refused' | 'wrong'; readonly why: string };

/** Errors of a document's own content. Every other 400 is about the index or the cluster. */
const OF_THE_DOCUMENT = new Set([
  'document_parsing_exception',
  'mapper_parsing_exception',
  'strict_dynamic_mapping_exception',
]);
const TOO_LONG_TERM = /immense term/i;

const STORED: BulkFate = { kind: 'stored' };
const DUPLICATE: BulkFate = { kind: 'duplicate' };

/** Of a document that is there now; undefined when the reason has to be looked at. */
function goodFate(status: number): BulkFate | undefined {
  if (status === 200 || status === 201) return STORED;
  return status === 409 ? DUPLICATE : undefined;
}

function fateOf(status: number, type: string, reason: string): BulkFate {
  const good = goodFate(status);
  if (good !== undefined) return good;
  const why = `${status} ${type}: ${reason}`.slice(0, 400);
  // The flood stage of the disk watermark: the block goes by itself when there is room again.
  if (status === 429 && type === 'cluster_block_exception') return { kind: 'full', why };
  if (status === 429 || status >= 500) return { kind: 'later', why };
  const ofDocument =
    OF_THE_DOCUMENT.has(type) ||
    (type === 'illegal_argument_exception' && TOO_LONG_TERM.test(reason));
  return { kind: status === 400 && ofDocument ? 'refused' : 'wrong', why };
}

/** What `filter_path` leaves of an answer. */
export const BULK_FILTER = 'error,items.*.status,items.*.error.type,items.*.error.reason';

/**
 * The fate of each document of a bulk, in its order. An answer that doesn't tell, such as a proxy's
 * page, leaves all of them for later.
 */
export function bulkFates({ status, body }: ElasticAnswer, documents: number): BulkFate[] {
  const all = (fate: BulkFate): BulkFate[] => Array.from({ length: documents }, () => fate);
  if (status !== 200) {
    const { type, reason } = causeIn(body);
    const fate = fateOf(status, type, reason);
    // No status of the whole speaks of a single document, whatever its name.
    if (fate.kind === 'refused') return all({ kind: 'wrong', why: fate.why });
    if (fate.kind === 'later' || fate.kind === 'full' || fate.kind === 'wrong') return all(fate);
    return all({ kind: 'later', why: `an answer ${status} that is none to a bulk` });
  }
  const items = (body as { items?: unknown } | null)?.items;
  if (!Array.isArray(items) || items.length !== documents) {
    return all({ kind: 'later', why: 'an answer 200 that is none to a bulk' });
  }
  return items.map((item: Record<string, { status?: unknown }> | null) => {
    const result = item?.['create'] ?? Object.values(item ?? {})[0];
    const status = Number(result?.status ?? 500);
    const good = goodFate(status);
    if (good !== undefined) return good;
    const { type, reason } = causeIn(result);
    return fateOf(status, type, reason);
  });
}
