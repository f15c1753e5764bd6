const UTF8 = new TextDecoder('utf-8');

/** A body as text: UTF-8, or UTF-16 when it begins with that byte-order mark. */
export function decodeText(body: Uint8Array): string {
  if (body[0] === 0xff && body[1] === 0xfe) return new TextDecoder('utf-16le').decode(body);
  if (body[0] === 0xfe && body[1] === 0xff) return new TextDecoder('utf-16be').decode(body);
  return UTF8.decode(body);
}
