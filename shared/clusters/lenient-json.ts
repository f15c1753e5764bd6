import type { Instant } from '../values/instant.ts';
import { isInstant } from '../values/instant.ts';

/** A JSON object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object's own field; inherited names such as `__proto__` are never read. */
export function field(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The object behind a path of keys, empty where one is missing or null. */
export function objectAt(value: unknown, ...path: readonly string[]): JsonObject {
  let current = value;
  for (const key of path) current = isObject(current) ? field(current, key) : undefined;
  return isObject(current) ? current : {};
}

/** The objects of a list; a single object counts as a list of one, as old servers wrote it. */
export function objectsIn(value: unknown): JsonObject[] {
  if (Array.isArray(value)) return value.filter(isObject);
  return isObject(value) ? [value] : [];
}

/** Text, at most `limit` characters of it; '' for anything else. */
export function text(object: JsonObject, key: string, limit = 1_000): string {
  const value = field(object, key);
  return typeof value === 'string' ? value.slice(0, limit) : '';
}

/** A whole number ≥ 0, also one written as text. YARN's `-1` (unknown) and fractions are undefined. */
export function count(object: JsonObject, key: string): number | undefined {
  const value = field(object, key);
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) && (number as number) >= 0 ? (number as number) : undefined;
}

/** A time in ms after the epoch; the `0` that managers write for "not yet" is undefined. */
export function instantOf(object: JsonObject, key: string): Instant | undefined {
  const at = count(object, key);
  return at !== undefined && at > 0 && isInstant(at) ? at : undefined;
}
