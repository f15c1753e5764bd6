import { DAY_MS, type Instant, utcDay } from '../../../values/instant.ts';
import { isProjectId, type ProjectId } from '../../../values/project-id.ts';

/** How long one index of a stem takes records. */
export type Period = 'day' | 'month';

/**
 * What the indices of one owner have in common; `-<period>` follows. A `~` ends the owner, and no
 * project id holds one, so that no pattern `<owner>~*` reaches another project or a pool, whatever
 * a project is called. 14 + 63 + 8 + 11 characters at most, with the default prefix.
 */
export interface Stem {
  /** Such as `tollgate-logs-etl~daily` or `tollgate-logs-~pool-0-03`. */
  readonly text: string;
  readonly period: Period;
}

/** What an index name says. */
export interface NamedIndex {
  readonly name: string;
  readonly stem: Stem;
  /** Undefined for an index of a pool. */
  readonly project: ProjectId | undefined;
  /** Its period `[start, end)`. */
  readonly start: Instant;
  readonly end: Instant;
}

export function ownStem(prefix: string, project: ProjectId, period: Period): Stem {
  return { text: `${prefix}-${project}~${period === 'day' ? 'daily' : 'monthly'}`, period };
}

/** @param generation which entry of the plan's pools */
export function poolStem(prefix: string, generation: number, pool: number): Stem {
  return { text: poolsOf(prefix, generation) + String(pool).padStart(2, '0'), period: 'month' };
}

/** What every pool of a generation starts with. */
export function poolsOf(prefix: string, generation: number): string {
  return `${prefix}-~pool-${generation}-`;
}

/** Matches every index that a project ever had alone, and nothing of another project. */
export function ownPattern(prefix: string, project: ProjectId): string {
  return `${prefix}-${project}~*`;
}

/** Matches every pooled index. */
export function pooledPattern(prefix: string): string {
  return `${prefix}-~pool-*`;
}

/** Name of the alias that shows one project, wherever its records lie. */
export function projectAlias(prefix: string, project: ProjectId): string {
  return `${prefix}-${project}`;
}

/**
 * The index of the plan itself: `tollgate-plan` beside `tollgate-logs`. It is outside `<prefix>-*`,
 * so that neither the log template nor a reader of logs meets it.
 */
export function planIndex(prefix: string): string {
  return prefix.endsWith('-logs') ? prefix.replace(/logs$/, 'plan') : `${prefix}~plan`;
}

/** @param at from 1970 to 9999 */
export function indexName(stem: Stem, at: Instant): string {
  return `${stem.text}-${periodText(at, stem.period)}`;
}

/** What a name says; undefined for every name that this plan doesn't give. */
export function parseIndexName(prefix: string, name: string): NamedIndex | undefined {
  const match = /^(.*)-(\d{4})\.(\d{2})(?:\.(\d{2}))?$/.exec(name);
  const [, stemText = '', year = '', month = '', day] = match ?? [];
  const period = day === undefined ? 'month' : 'day';
  const owner = stemText.startsWith(`${prefix}-`) ? stemText.slice(prefix.length + 1) : '';
  const tilde = owner.indexOf('~');
  const project = owner.slice(0, Math.max(0, tilde));
  const pool = /^~pool-(\d{1,6})-(\d{2})$/.exec(owner);
  const stem =
    pool === null
      ? isProjectId(project)
        ? ownStem(prefix, project, period)
        : undefined
      : poolStem(prefix, Number(pool[1]), Number(pool[2]));
  if (stem === undefined || stem.period !== period) return undefined;
  const start = Date.UTC(Number(year), Number(month) - 1, Number(day ?? '01'));
  // Written again it must be the same: no other tool's index is taken for ours.
  if (start < 0 || Number.isNaN(start) || indexName(stem, start) !== name) return undefined;
  return {
    name,
    stem,
    project: pool === null && isProjectId(project) ? project : undefined,
    start,
    end: nextPeriod(start, period),
  };
}

export function utcMonth(at: Instant): Instant {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

/** Start of the period after the one that holds `at`. */
export function nextPeriod(at: Instant, period: Period): Instant {
  if (period === 'day') return utcDay(at) + DAY_MS;
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}

function periodText(at: Instant, period: Period): string {
  return new Date(at)
    .toISOString()
    .slice(0, period === 'day' ? 10 : 7)
    .replaceAll('-', '.');
}
