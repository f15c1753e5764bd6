/** One document on its way. */
export interface BulkLine {
  readonly index: string;
  readonly id: string;
  /** JSON on one line. */
  readonly document: string;
  /** With its action, in UTF-8. */
  readonly bytes: number;
}

function action(index: string, id: string): string {
  return `{"create":{"_index":${JSON.stringify(index)},"_id":"${id}"}}`;
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
