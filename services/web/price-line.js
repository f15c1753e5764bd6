/**
 * The price as a stepped line: what was in force up to now, then what is announced.
 * @param {import('./rest-client.js').PoolPrice} pool
 * @param {number} nowMs
 * @returns {[number[], (number | null)[], (number | null)[]]} seconds, in force, announced
 */
export function priceLine({ now, next, history }, nowMs) {
  const past = history.filter(({ start }) => Date.parse(start) < Date.parse(now.start));
  const points = [...past, now].map(({ start, multiplier }) => ({
    at: Date.parse(start) / 1000,
    price: Number(multiplier),
  }));
  points.sort((a, b) => a.at - b.at);
  const seconds = points.map(({ at }) => at);
  const inForce = /** @type {(number | null)[]} */ (points.map(({ price }) => price));
  const announced = /** @type {(number | null)[]} */ (points.map(() => null));
  const current = Number(now.multiplier);
  seconds.push(Math.max(nowMs / 1000, (seconds.at(-1) ?? 0) + 1));
  inForce.push(current);
  announced.push(next === null ? null : current);
  if (next !== null) {
    const start = Math.max(Date.parse(next.start) / 1000, (seconds.at(-1) ?? 0) + 1);
    seconds.push(start, start + 600);
    inForce.push(null, null);
    announced.push(Number(next.multiplier), Number(next.multiplier));
  }
  return [seconds, inForce, announced];
}
