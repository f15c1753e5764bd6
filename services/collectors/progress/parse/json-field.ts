import { type Instant, isInstant, parseInstant } from '../../../../shared/values/instant.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object's own field; inherited names such as `constructor` are not there. */
export function field(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

export function objectField(object: JsonObject, name: string): JsonObject {
  const value = field(object, name);
  return isObject(value) ? value : {};
}

/** The objects of a list; anything else in it is passed over. */
export function listField(object: JsonObject, name: string, limit: number): JsonObject[] {
  const value = field(object, name);
  return Array.isArray(value) ? value.slice(0, limit).filter(isObject) : [];
}

/** Text without control characters, cut to `limit`; undefined when it isn't text. */
export function textField(object: JsonObject, name: string, limit: number): string | undefined {
  const value = field(object, name);
  return typeof value === 'string' ? cleanText(value, limit) : undefined;
}

export function cleanText(text: string, limit: number): string {
  const cut = text.length > limit ? text.slice(0, limit) : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what goes.
  return cut.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

/**
 * A finite number, also from text, as Jackson and Kafka's metrics write them (`"2.7E8"`). NaN and
 * Infinity, in whichever spelling, are null: Spark says them where it divided by zero.
 */
export function toNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string' || value.length > 40 || value.trim() === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** A rate, count or size; below zero is null, since Spark says -1 for "not known". */
export function amount(object: JsonObject, name: string): number | null {
  const number = toNumber(field(object, name));
  return number === null || number < 0 ? null : number;
}

/** An ISO time with zone or epoch ms, in a number or text. */
export function toInstant(value: unknown): Instant | undefined {
  if (typeof value === 'string') {
    const at = parseInstant(value);
    if (at !== undefined) return at;
    return /^[0-9]{12,14}$/.test(value) ? Number(value) : undefined;
  }
  return isInstant(value) ? value : undefined;
}
