import { type Instant, isInstant } from '../values/instant.ts';

/** A parsed JSON object of unknown shape. Fields are read one by one: unknown ones are ignored. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** 2100-01-01: an event that claims to be later is not believed. */
const LATEST: Instant = 4_102_444_800_000;

export function isPlausible(at: number): boolean {
  return isInstant(at) && at >= 0 && at < LATEST;
}

export function parseObject(bytes: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return value as JsonObject;
  } catch {
    return undefined;
  }
}

function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

export function objectField(object: JsonObject, key: string): JsonObject {
  const value = own(object, key);
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {};
}

/** A string, cut to `max` characters; '' for anything else. */
export function textField(object: JsonObject, key: string, max = 1024): string {
  const value = own(object, key);
  return typeof value === 'string' ? value.slice(0, max) : '';
}

export function numberField(object: JsonObject, key: string): number | undefined {
  const value = own(object, key);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A time that can be; undefined for none or one that can't. */
export function instantField(object: JsonObject, key: string): Instant | undefined {
  const value = numberField(object, key);
  return value !== undefined && isPlausible(value) ? value : undefined;
}
