/**
 * Names and tag values as InfluxDB can hold them. Its line protocol has no escape for newlines, for
 * a backslash before a comma or at the end, nor for an empty value, and some names are its own. So
 * these signs are written as % and two hex digits, as in URLs, and an empty text as `%_`.
 * Source: influxdata/influxdb models/points.go, tsdb/shard.go (1.8).
 */
const EMPTY = '%_';
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is sought
const UNSAFE = /[\u0000-\u001f\u007f\\%]/g;

function percent(sign: string): string {
  return `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** A tag's value; half a surrogate pair becomes U+FFFD. */
export function encodeValue(text: string): string {
  return text === '' ? EMPTY : text.toWellFormed().replace(UNSAFE, percent);
}

/**
 * Name of a measurement, tag or field. `time` and names with a leading _ are InfluxDB's own, and a
 * line that begins with # is a comment.
 */
export function encodeName(text: string): string {
  const encoded = encodeValue(text);
  return encoded === 'time' || /^[_#]/.test(encoded)
    ? percent(encoded) + encoded.slice(1)
    : encoded;
}

/** What `encodeValue` or `encodeName` was given. */
export function decodeName(encoded: string): string {
  if (!encoded.includes('%')) return encoded;
  if (encoded === EMPTY) return '';
  return encoded.replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** An encoded measurement in a line. */
export function lineMeasurement(encoded: string): string {
  return encoded.replace(/[, ]/g, '\\$&');
}

/** An encoded tag name, tag value or field name in a line. */
export function lineKey(encoded: string): string {
  return encoded.replace(/[,= ]/g, '\\$&');
}

/** An encoded name as an InfluxQL identifier. */
export function quoteName(encoded: string): string {
  return `"${encoded.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n')}"`;
}

/** A text as an InfluxQL string. */
export function quoteText(encoded: string): string {
  return `'${encoded.replace(/['\\]/g, '\\$&').replace(/\n/g, '\\n')}'`;
}
