export type Compression = 'gzip' | 'zstd';

export interface RotatedName {
  /** Names that the file may have had while it was written to; the first is the likeliest. */
  readonly bases: readonly string[];
  readonly compression: Compression | undefined;
}

/** By the end of the name only: `.gz`, `.zst`, `.zstd`. */
export function compressionOf(name: string): Compression | undefined {
  if (name.endsWith('.gz')) return 'gzip';
  return name.endsWith('.zst') || name.endsWith('.zstd') ? 'zstd' : undefined;
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** `x.1`, `x-20261121`, `x--2026-11-21--10-05` → `x`; undefined without such an end. */
function withoutNumber(name: string): string | undefined {
  let start = name.length;
  let digits = 0;
  while (start > 0 && /[0-9T:_.-]/.test(name[start - 1] ?? '')) {
    start -= 1;
    if (isDigit(name.charCodeAt(start))) digits += 1;
  }
  while (start < name.length && !/[.-]/.test(name[start] ?? '')) start += 1;
  return digits > 0 && start > 0 && start < name.length ? name.slice(0, start) : undefined;
}

/**
 * Recognises the names that rotation gives: logrotate (`x.1`, `x-20261121`, `x.2.gz`), log4j
 * (`x-2026-11-21-1.log`), Spark's executor logs (`stderr--2026-11-21--10-05`) and Databricks'
 * delivery (`log4j-2026-11-21-10.log.gz` beside `log4j-active.log`). Undefined for other names.
 */
export function rotatedName(name: string): RotatedName | undefined {
  const compression = compressionOf(name);
  const plain = compression === undefined ? name : name.slice(0, name.lastIndexOf('.'));
  const bases: string[] = [];
  const base = withoutNumber(plain);
  if (base !== undefined) bases.push(base);
  const dot = plain.lastIndexOf('.');
  if (dot > 0 && !isDigit(plain.charCodeAt(dot + 1))) {
    const stem = withoutNumber(plain.slice(0, dot));
    const extension = plain.slice(dot);
    if (stem !== undefined) bases.push(`${stem}${extension}`, `${stem}-active${extension}`);
  }
  if (compression !== undefined) bases.push(plain);
  return bases.length === 0 ? undefined : { bases, compression };
}
