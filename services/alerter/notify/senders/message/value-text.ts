import { formatInstant, type Instant } from '../../../../../shared/values/instant.ts';

const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** The two largest units that aren't zero, such as `2 h 5 min`; below a second `420 ms`. */
export function durationText(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1_000) return `${whole} ms`;
  const first = DURATION_UNITS.findIndex(([, size]) => whole >= size);
  let rest = whole;
  const parts: string[] = [];
  for (const [name, size] of DURATION_UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(' ');
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

function bytesText(bytes: number): string {
  const power = Math.floor(Math.log2(Math.max(1, Math.abs(bytes))) / 10);
  const step = Math.min(BYTE_UNITS.length - 1, power);
  return `${numberText(bytes / 1_024 ** step)} ${BYTE_UNITS[step]}`;
}

/** Four significant digits, thousands apart: `1,234,000`, `0.9312`. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const whole = Number.isInteger(value);
  const format = whole ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 };
  return new Intl.NumberFormat('en', format).format(value);
}

/** A measured value as people read it; '' when there is none. */
export function valueText(value: number | undefined, unit: string): string {
  if (value === undefined) return '';
  if (unit === 'ms') return durationText(value);
  if (unit === 's') return durationText(value * 1_000);
  if (unit === 'bytes' || unit === 'B') return bytesText(value);
  return `${numberText(value)}${unit === '' ? '' : ` ${unit}`}`;
}

/** `2026-11-21 09:05 UTC`. */
export function momentText(at: Instant): string {
  return `${formatInstant(at).slice(0, 16).replace('T', ' ')} UTC`;
}

/** Decimal credits as the API prints them, to two decimals, cut off rather than rounded up. */
export function creditsText(credits: string): string {
  const match = /^(-?\d+)(?:\.(\d+))?$/.exec(credits);
  if (match === null) return credits;
  const [, whole = '0', fraction = ''] = match;
  const shown = fraction.slice(0, 2).replace(/0+$/, '');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  if (shown !== '' || /^0*$/.test(fraction)) return `${grouped}${shown === '' ? '' : `.${shown}`}`;
  return whole === '0' || whole === '-0' ? 'less than 0.01' : grouped;
}
