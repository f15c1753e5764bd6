/** Credits in billionths. All money is this integer; floating point never touches it. */
export type Nanocredits = bigint;

export const NANOCREDITS_PER_CREDIT = 1_000_000_000n;

/** All nine decimals, without trailing zeros: `1.5`, `-0.000000001`, `12`. Exact, for JSON and CSV. */
export function formatCredits(amount: Nanocredits): string {
  const sign = amount < 0n ? '-' : '';
  const magnitude = amount < 0n ? -amount : amount;
  const fraction = (magnitude % NANOCREDITS_PER_CREDIT).toString().padStart(9, '0');
  const trimmed = fraction.replace(/0+$/, '');
  const whole = (magnitude / NANOCREDITS_PER_CREDIT).toString();
  return `${sign}${whole}${trimmed === '' ? '' : `.${trimmed}`}`;
}

/** Reads what formatCredits prints; undefined for more than nine decimals, exponents or anything else. */
export function parseCredits(text: string): Nanocredits | undefined {
  const match = /^(-?)(\d{1,30})(?:\.(\d{1,9}))?$/.exec(text.trim());
  if (!match) return undefined;
  const [, sign = '', whole = '0', fraction = ''] = match;
  const magnitude = BigInt(whole) * NANOCREDITS_PER_CREDIT + BigInt(fraction.padEnd(9, '0'));
  return sign === '-' ? -magnitude : magnitude;
}
