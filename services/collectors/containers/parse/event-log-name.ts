/** What the name of an event log's file or folder says. */
export interface EventLogName {
  /** The name without codec and `.inprogress`: stays the same over the log's life. */
  readonly log: string;
  readonly inProgress: boolean;
  /** Identity for a log that doesn't tell its own. */
  readonly fallback: { readonly application: string; readonly attempt: string };
}

const CODEC = /\.(?:zstd|zst|lz4|lzf|snappy|gz)$/;
const YARN = /^(application_\d+_\d+)(?:_(\d+))?$/;

function fallbackOf(log: string): EventLogName['fallback'] {
  const [, application, attempt = ''] = YARN.exec(log) ?? [];
  return application === undefined ? { application: log, attempt: '' } : { application, attempt };
}

/**
 * A single log: `<application>[_<attempt>][.<codec>][.inprogress]`. Undefined for names that no
 * event log has: hidden files, checksums, status files.
 * Source: apache/spark core/…/deploy/history/EventLogFileWriters.scala.
 */
export function singleLogName(name: string): EventLogName | undefined {
  if (/^[._]|^appstatus_|\.(?:crc|tmp|_COPYING_)$/.test(name)) return undefined;
  const inProgress = name.endsWith('.inprogress');
  const log = (inProgress ? name.slice(0, -'.inprogress'.length) : name).replace(CODEC, '');
  return log === '' ? undefined : { log, inProgress, fallback: fallbackOf(log) };
}

export interface RollingPart {
  readonly name: string;
  readonly number: number;
  readonly compacted: boolean;
}

/**
 * The files to read, in order. A compacted file stands for all parts up to its number, which are
 * deleted after it was written: it is only read when the whole parts aren't all there any more.
 * Source: apache/spark core/…/deploy/history/EventLogFileReaders.scala.
 */
function partsToRead(all: readonly RollingPart[]): RollingPart[] {
  const byNumber = (a: RollingPart, b: RollingPart): number => a.number - b.number;
  const whole = all.filter(({ compacted }) => !compacted).sort(byNumber);
  const compact = all
    .filter(({ compacted }) => compacted)
    .sort(byNumber)
    .at(-1);
  if (compact === undefined) return whole;
  const upTo = whole.filter(({ number }) => number <= compact.number).length;
  if (upTo === compact.number) return whole;
  return [compact, ...whole.filter(({ number }) => number > compact.number)];
}

/**
 * A rolling log: the folder `eventlog_v2_<application>[_<attempt>]` with its files. Undefined for
 * another folder.
 */
export function rollingLogName(
  folder: string,
  files: readonly string[],
): (EventLogName & { readonly parts: readonly RollingPart[] }) | undefined {
  const log = /^eventlog_v2_(.+)$/.exec(folder)?.[1];
  if (log === undefined) return undefined;
  const parts: RollingPart[] = [];
  for (const name of files) {
    const number = Number(/^events_(\d{1,9})_/.exec(name)?.[1] ?? Number.NaN);
    if (!Number.isNaN(number)) parts.push({ name, number, compacted: name.endsWith('.compact') });
  }
  const statuses = files.filter((name) => name.startsWith('appstatus_'));
  return {
    log: folder,
    inProgress: !statuses.some((name) => !name.endsWith('.inprogress')),
    fallback: fallbackOf(log),
    parts: partsToRead(parts),
  };
}
