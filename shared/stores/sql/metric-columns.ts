/**
 * Columns of doubles, packed: what most of Spark's metrics are (constant, steadily rising, small
 * whole numbers, two decimals) takes 0 to 4 bytes a value, and everything comes back bit for bit.
 *
 * Layout, little-endian: `u8 columns, u32 count`, then per column `u8 kind` and
 * constant: `f64` · linear: `f64 first, f64 step` · offsets: `u8 scale, f64 base, count × u8|u16|u32`
 * · raw: `count × f64`.
 */
const CONSTANT = 0;
const LINEAR = 1;
const OFFSETS_8 = 2;
const OFFSETS_16 = 3;
const OFFSETS_32 = 4;
const RAW = 5;

/** How an offset becomes a value; the numbers stand in files. */
const WHOLE = 0;
const HUNDREDTHS = 1;
const THOUSANDS = 2;
const NO_SCALE = -1;

const HEADER_BYTES = 5;
const COLUMN_BYTES = 17;
const MAX_OFFSET = 0xffff_ffff;

interface Shape {
  readonly kind: number;
  readonly scale: number;
  readonly base: number;
}

function scaled(value: number, scale: number): number {
  if (scale === HUNDREDTHS) return Math.round(value * 100);
  return scale === THOUSANDS ? value / 1000 : value;
}

function unscaled(steps: number, scale: number): number {
  if (scale === HUNDREDTHS) return steps / 100;
  return scale === THOUSANDS ? steps * 1000 : steps;
}

function fits(value: number, scale: number): boolean {
  const steps = scaled(value, scale);
  return (
    Number.isSafeInteger(steps) &&
    unscaled(steps, scale) === value &&
    (value !== 0 || 1 / value > 0)
  );
}

/** The coarsest scale that gives every value back exactly, or NO_SCALE. */
function commonScale(column: Float64Array, from: number, until: number): number {
  for (const scale of [THOUSANDS, WHOLE, HUNDREDTHS]) {
    let at = from;
    while (at < until && fits(column[at] ?? 0, scale)) at += 1;
    if (at === until) return scale;
  }
  return NO_SCALE;
}

function isConstant(column: Float64Array, from: number, until: number): boolean {
  const first = column[from] ?? 0;
  for (let at = from + 1; at < until; at += 1) {
    if (!Object.is(column[at], first)) return false;
  }
  return true;
}

function isLinear(column: Float64Array, from: number, until: number): boolean {
  if (until - from < 3) return false;
  const first = column[from] ?? 0;
  const step = (column[from + 1] ?? 0) - first;
  for (let at = from + 1; at < until; at += 1) {
    if (!Object.is(column[at], first + (at - from) * step)) return false;
  }
  return true;
}

function shapeOf(column: Float64Array, from: number, until: number): Shape {
  const raw = { kind: RAW, scale: 0, base: 0 };
  if (isConstant(column, from, until)) return { ...raw, kind: CONSTANT };
  if (isLinear(column, from, until)) return { ...raw, kind: LINEAR };
  const scale = commonScale(column, from, until);
  if (scale === NO_SCALE) return raw;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let at = from; at < until; at += 1) {
    const steps = scaled(column[at] ?? 0, scale);
    if (steps < min) min = steps;
    if (steps > max) max = steps;
  }
  const range = max - min;
  if (range > MAX_OFFSET) return raw;
  const kind = range <= 0xff ? OFFSETS_8 : range <= 0xffff ? OFFSETS_16 : OFFSETS_32;
  return { kind, scale, base: min };
}

/** Packs columns into one blob, reusing its memory: a result is valid until the next call. */
export class ColumnEncoder {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Packs entries `[from, until)` of every column. */
  encode(columns: readonly Float64Array[], from: number, until: number): Uint8Array {
    const count = until - from;
    const needed = HEADER_BYTES + columns.length * (COLUMN_BYTES + count * 8);
    if (needed > this.#bytes.length) {
      this.#bytes = new Uint8Array(needed * 2);
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#view.setUint8(0, columns.length);
    this.#view.setUint32(1, count, true);
    this.#length = HEADER_BYTES;
    for (const column of columns) this.#column(column, from, until);
    return this.#bytes.subarray(0, this.#length);
  }

  #column(column: Float64Array, from: number, until: number): void {
    const shape = shapeOf(column, from, until);
    this.#view.setUint8(this.#length, shape.kind);
    this.#length += 1;
    const first = column[from] ?? 0;
    if (shape.kind === CONSTANT) this.#double(first);
    else if (shape.kind === LINEAR) {
      this.#double(first);
      this.#double((column[from + 1] ?? 0) - first);
    } else if (shape.kind === RAW) {
      for (let at = from; at < until; at += 1) this.#double(column[at] ?? 0);
    } else {
      this.#view.setUint8(this.#length, shape.scale);
      this.#length += 1;
      this.#double(shape.base);
      this.#offsets(column.subarray(from, until), shape);
    }
  }

  #double(value: number): void {
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  #offsets(column: Float64Array, { kind, scale, base }: Shape): void {
    const view = this.#view;
    let length = this.#length;
    for (const value of column) {
      const offset = scaled(value, scale) - base;
      if (kind === OFFSETS_8) view.setUint8(length, offset);
      else if (kind === OFFSETS_16) view.setUint16(length, offset, true);
      else view.setUint32(length, offset, true);
      length += kind === OFFSETS_8 ? 1 : kind === OFFSETS_16 ? 2 : 4;
    }
    this.#length = length;
  }
}

function decodeOffsets(view: DataView, start: number, kind: number, column: Float64Array): number {
  const scale = view.getUint8(start);
  const base = view.getFloat64(start + 1, true);
  let at = start + 9;
  for (let i = 0; i < column.length; i += 1) {
    let offset: number;
    if (kind === OFFSETS_8) offset = view.getUint8(at);
    else if (kind === OFFSETS_16) offset = view.getUint16(at, true);
    else offset = view.getUint32(at, true);
    at += kind === OFFSETS_8 ? 1 : kind === OFFSETS_16 ? 2 : 4;
    column[i] = unscaled(base + offset, scale);
  }
  return at;
}

function decodeColumn(view: DataView, start: number, column: Float64Array): number {
  const kind = view.getUint8(start);
  const at = start + 1;
  if (kind === CONSTANT) {
    column.fill(view.getFloat64(at, true));
    return at + 8;
  }
  if (kind === LINEAR) {
    const first = view.getFloat64(at, true);
    const step = view.getFloat64(at + 8, true);
    for (let i = 0; i < column.length; i += 1) column[i] = i === 0 ? first : first + i * step;
    return at + 16;
  }
  if (kind === RAW) {
    for (let i = 0; i < column.length; i += 1) column[i] = view.getFloat64(at + i * 8, true);
    return at + column.length * 8;
  }
  return decodeOffsets(view, at, kind, column);
}

/** The columns of a blob that `ColumnEncoder` made; a RangeError for a blob that is cut. */
export function decodeColumns(blob: Uint8Array): Float64Array[] {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const columns = view.getUint8(0);
  const count = view.getUint32(1, true);
  const decoded: Float64Array[] = [];
  let at = HEADER_BYTES;
  for (let i = 0; i < columns; i += 1) {
    const column = new Float64Array(count);
    at = decodeColumn(view, at, column);
    decoded.push(column);
  }
  return decoded;
}
