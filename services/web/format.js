const EM_DASH = '—';
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * @param {number} value
 * @param {number} decimals
 */
function fixed(value, decimals) {
  const text = value.toLocaleString('en-US', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  return text.replace('-', '−');
}

/**
 * Credits to read at a glance; the exact decimal belongs into the title.
 * @param {string} decimal
 */
export function formatCredits(decimal) {
  const value = Number(decimal);
  if (!Number.isFinite(value)) return EM_DASH;
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 100_000) return fixed(value, 0);
  if (size >= 0.01) return fixed(value, 2);
  return size < 0.0001 ? `${value < 0 ? '−' : ''}<0.0001` : fixed(value, 4);
}

/**
 * A whole number, short from 10,000 on: `12.4k`, `3.1M`.
 * @param {number | null} value
 */
export function formatCount(value) {
  if (value === null || !Number.isFinite(value)) return EM_DASH;
  const size = Math.abs(value);
  if (size < 10_000) return fixed(value, size < 10 && !Number.isInteger(value) ? 1 : 0);
  if (size < 999_950) return `${fixed(value / 1e3, size < 99_950 ? 1 : 0)}k`;
  if (size < 999_950_000) return `${fixed(value / 1e6, 1)}M`;
  return `${fixed(value / 1e9, 1)}G`;
}

/**
 * Cores as managers grant them: fractions only where there are some.
 * @param {number} cores
 */
export function formatCores(cores) {
  return fixed(cores, Number.isInteger(cores) ? 0 : 1);
}

/** @param {number} mib */
export function formatMemory(mib) {
  if (mib < 1024) return `${fixed(mib, 0)} MiB`;
  const gib = mib / 1024;
  return gib < 1024 ? `${fixed(gib, gib < 10 ? 1 : 0)} GiB` : `${fixed(gib / 1024, 1)} TiB`;
}

/** @param {string} multiplier */
export function formatPrice(multiplier) {
  return `${multiplier} X`;
}

/**
 * @param {number} part
 * @param {number} whole
 */
export function formatShare(part, whole) {
  if (!(whole > 0)) return '0 %';
  const percent = (part / whole) * 100;
  if (percent > 0 && percent < 1) return '<1 %';
  return `${fixed(percent, 0)} %`;
}

/**
 * The two largest units: `3 d 4 h`, `4 h 12 min`, `45 s`.
 * @param {number} ms
 */
export function formatDuration(ms) {
  const size = Math.abs(ms);
  if (size >= 1000 * DAY_MS) return `${fixed(size / (365 * DAY_MS), 0)} years`;
  if (size >= 100 * DAY_MS) return `${fixed(size / DAY_MS, 0)} d`;
  if (size >= DAY_MS) return pair(size, [DAY_MS, 'd'], [HOUR_MS, 'h']);
  if (size >= HOUR_MS) return pair(size, [HOUR_MS, 'h'], [MINUTE_MS, 'min']);
  if (size >= 10 * MINUTE_MS) return `${Math.floor(size / MINUTE_MS)} min`;
  if (size >= MINUTE_MS) return pair(size, [MINUTE_MS, 'min'], [SECOND_MS, 's']);
  return `${Math.floor(size / SECOND_MS)} s`;
}

/**
 * @param {number} size
 * @param {[number, string]} large
 * @param {[number, string]} small
 */
function pair(size, large, small) {
  const major = Math.floor(size / large[0]);
  const minor = Math.floor((size % large[0]) / small[0]);
  return minor === 0 ? `${major} ${large[1]}` : `${major} ${large[1]} ${minor} ${small[1]}`;
}

/**
 * @param {number} atMs
 * @param {number} nowMs
 */
export function formatRelative(atMs, nowMs) {
  if (!Number.isFinite(atMs)) return EM_DASH;
  const distance = atMs - nowMs;
  if (Math.abs(distance) < 5 * SECOND_MS) return 'now';
  return distance < 0 ? `${formatDuration(distance)} ago` : `in ${formatDuration(distance)}`;
}

/**
 * `2026-11-21 09:30:00 UTC`
 * @param {number} ms
 */
export function formatInstant(ms) {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return EM_DASH;
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/**
 * `09:30:00`, the day before it when it isn't today.
 * @param {number} ms
 * @param {number} nowMs
 */
export function formatClock(ms, nowMs) {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return EM_DASH;
  const text = new Date(ms).toISOString();
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const time = text.slice(11, 19);
  return text.startsWith(today) ? time : `${text.slice(5, 10)} ${time}`;
}
