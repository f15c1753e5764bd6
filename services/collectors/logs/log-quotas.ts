import type { LogRecord } from '../../../shared/contracts/log-record.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import { utcDay } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { LogQuota } from './config.ts';
import {
  ALL_KEPT,
  isKept,
  type KeptShares,
  kindOf,
  sharesFor,
  type Volume,
} from './log-sampling.ts';
import { fingerprint } from './parse/fingerprint.ts';

const WINDOW_MS = 1_000;
const ANNOUNCE_MS = 60_000;
/** Over its bytes a project loses DEBUG, and INFO once it is over them by this much. */
const INFO_FROM = 1.1;
const LEAST = { debug: 1 / 128, info: 1 / 128 };

interface Usage {
  readonly quota: LogQuota;
  shares: KeptShares;
  windowAt: number;
  came: { debug: number; info: number; other: number };
  day: number;
  dayBytes: number;
  /** Since the last announcement. */
  dropped: { debug: number; info: number };
  announcedAt: number | undefined;
}

const NOTHING: Volume = { debug: 0, info: 0, other: 0 };

function percent(share: number): string {
  return share >= 1 ? 'all' : `1 of ${Math.round(1 / share)}`;
}

/**
 * Keeps each project's log lines within its quota by sampling what matters least, and says so in
 * the project's own log. Volumes are counted by this collector since its start.
 */
export class LogQuotas {
  readonly #usages: ReadonlyMap<string, Usage>;
  readonly #clock: Clock;
  readonly #sampled: (labels: Record<string, string>, by?: number) => void;
  readonly #share: (labels: Record<string, string>, value: number) => void;

  constructor(quotas: readonly LogQuota[], deps: { clock: Clock; metrics: Metrics }) {
    this.#clock = deps.clock;
    this.#usages = new Map(
      quotas.map((quota) => [
        quota.project,
        {
          ...{ quota, shares: ALL_KEPT, windowAt: deps.clock.elapsed(), came: { ...NOTHING } },
          ...{ day: utcDay(deps.clock.now()), dayBytes: 0, dropped: { debug: 0, info: 0 } },
          announcedAt: undefined,
        },
      ]),
    );
    this.#sampled = deps.metrics.counter(
      'tollgate_log_sampled_total',
      'Log lines left out as their project is over its quota.',
    );
    this.#share = deps.metrics.gauge(
      'tollgate_log_kept_share',
      'Share of log lines that is kept, of projects with a quota.',
    );
  }

  /** Reason for which a record is left out; undefined when it is kept. Counts it. */
  reasonToDrop(record: LogRecord): string | undefined {
    const usage = this.#usages.get(record.project);
    if (usage === undefined) return undefined;
    this.#roll(usage);
    const kind = kindOf(record);
    usage.came[kind] += 1;
    if (isKept(record, usage.shares)) {
      usage.dayBytes += Buffer.byteLength(record.message);
      return undefined;
    }
    const left = kind === 'debug' ? 'debug' : 'info';
    usage.dropped[left] += 1;
    this.#sampled({ project: record.project, level: left });
    return `over-quota-${left}`;
  }

  /** What is to be said in the projects' own logs since it was asked last. */
  announcements(): LogRecord[] {
    const found: LogRecord[] = [];
    for (const [project, usage] of this.#usages) {
      this.#roll(usage);
      const text = this.#announcement(usage);
      if (text === undefined) continue;
      const at = this.#clock.now();
      found.push({
        ...{ at, project: project as ProjectId, cluster: '', application: '', container: '' },
        ...{ level: 'WARN', logger: 'tollgate.quota', thread: '', message: text, marks: [] },
        ...{ fingerprint: fingerprint(text), id: `quota:${project}:${at}` },
      });
    }
    return found;
  }

  #announcement(usage: Usage): string | undefined {
    const { dropped, quota, shares } = usage;
    const left = dropped.debug + dropped.info;
    if (left === 0) return undefined;
    const now = this.#clock.elapsed();
    const isOver = shares !== ALL_KEPT;
    const said = usage.announcedAt;
    if (said !== undefined && isOver && now - said < ANNOUNCE_MS) return undefined;
    usage.announcedAt = isOver ? now : undefined;
    usage.dropped = { debug: 0, info: 0 };
    const limit =
      quota.linesPerSecond === undefined
        ? `${quota.bytesPerDay} bytes a day`
        : `${quota.linesPerSecond} lines a second`;
    const counts = `${dropped.debug} DEBUG and ${dropped.info} INFO lines were left out`;
    return isOver
      ? `Over the log quota of ${limit}: of DEBUG ${percent(shares.debug)}, of INFO ${percent(shares.info)} is kept; ${counts}. WARN and above are never left out.`
      : `Within the log quota of ${limit} again: everything is kept; ${counts} before.`;
  }

  #roll(usage: Usage): void {
    const now = this.#clock.elapsed();
    const passedMs = now - usage.windowAt;
    if (passedMs < WINDOW_MS) return;
    const { quota } = usage;
    const day = utcDay(this.#clock.now());
    if (day !== usage.day) {
      usage.day = day;
      usage.dayBytes = 0;
    }
    const seconds = passedMs / 1_000;
    usage.shares =
      quota.linesPerSecond === undefined
        ? this.#sharesOfDay(usage, quota.bytesPerDay ?? Number.POSITIVE_INFINITY)
        : sharesFor(usage.came, quota.linesPerSecond * seconds);
    usage.came = { ...NOTHING };
    usage.windowAt = now;
    const { project } = quota;
    this.#share({ project, level: 'debug' }, usage.shares.debug);
    this.#share({ project, level: 'info' }, usage.shares.info);
  }

  #sharesOfDay({ dayBytes }: Usage, quota: number): KeptShares {
    if (dayBytes < quota) return ALL_KEPT;
    return dayBytes < quota * INFO_FROM ? { ...LEAST, info: 1 } : LEAST;
  }
}
