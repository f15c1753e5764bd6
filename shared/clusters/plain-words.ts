/** A manager's or a person's words as one plain line of at most `limit` characters. */
export function plainWords(text: string, limit: number): string {
  const line = text
    .slice(0, 4 * limit)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return line.length > limit ? `${line.slice(0, limit - 1).toWellFormed()}…` : line.toWellFormed();
}
