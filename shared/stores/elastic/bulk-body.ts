/** One document on its way. */
export interface BulkLine {
  readonly index: string;
  readonly id: string;
  /** JSON on one line. */
  readonly document: string;
  /** With its action, in UTF-8. */
  readonly bytes: number;
}

const START = '{"create":{"_index":"';
const MIDDLE = '","_id":"';
const END = '"}}';

/** Names of indices and ids hold nothing that JSON escapes. */
function action(index: string, id: string): string {
  return `${START}${index}${MIDDLE}${id}${END}`;
}

export function bulkLine(index: string, id: string, document: string): BulkLine {
  const bytes = Buffer.byteLength(document) + action(index, id).length + 2;
  return { index, id, document, bytes };
}

/** The body of `_bulk`: `create` leaves a document alone that is there already, and says 409. */
export function bulkBody(lines: readonly BulkLine[]): string {
  let body = '';
  for (const { index, id, document } of lines) body += `${action(index, id)}\n${document}\n`;
  return body;
}
