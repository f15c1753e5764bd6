import type { z } from 'zod';
import type { restQuote } from '../../../shared/contracts/rest-quote.ts';
import { printable } from '../printable.ts';

export type Quote = z.infer<typeof restQuote>;

/** `2026-11-21 16:00 UTC`, as people read a time. */
export function minuteText(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`;
}

/** At most three decimals; `--json` has all nine. */
function short(credits: string): string {
  const [whole = '0', fraction = ''] = credits.split('.');
  const kept = fraction.slice(0, 3).replace(/0+$/, '');
  return kept === '' ? whole : `${whole}.${kept}`;
}

/** `1.15 X in pool shared (1.25 X from 2026-11-21 14:05 UTC)`. */
export function priceText({ pool, price: { multiplier, next } }: Quote): string {
  const later = next === null ? '' : ` (${next.multiplier} X from ${minuteText(next.start)})`;
  return `${multiplier} X in pool ${printable(pool)}${later}`;
}

/** `12.5 credits (10 to 14, of 14 runs)`, or that nothing is known. */
export function costText({ cost }: Quote): string {
  if (cost === null) return 'unknown: no earlier runs, and no resources and minutes';
  const { expected, low, high, range, runs } = cost;
  const of = {
    quartiles: `half of ${runs} runs`,
    extremes: runs === 1 ? 'the only run' : `all of ${runs} runs`,
    plan: 'as planned',
  }[range];
  const span = low === high ? of : `${short(low)} to ${short(high)}, ${of}`;
  return `${short(expected)} credits (${span})`;
}

/** When the price is to come down; '' where nobody asked. */
export function startText({ start }: Quote): string {
  if (start === null) return '';
  const { state, at, earliest, latest, message } = start;
  if (at === null || state === 'unknown') return printable(message);
  if (state === 'now') return 'now';
  if (state === 'announced') return `announced for ${minuteText(at)}`;
  const until = latest === null ? 'or more than a week' : `to ${minuteText(latest)}`;
  return `expected about ${minuteText(at)} (${minuteText(earliest ?? at)} ${until})`;
}
