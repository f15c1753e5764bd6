import { must } from '../../../errors/assert.ts';
import type { Instant } from '../../../values/instant.ts';
import type { ProjectId } from '../../../values/project-id.ts';
import type { IndexPlaces } from './places.ts';
import { BEGINNING, type IndexPlan, type PlanEntry, poolOf } from './plan.ts';
import { indexName, nextPeriod, ownStem, poolStem, type Stem } from './plan-names.ts';

/** More indices of one stem than these are said as a pattern: a URL holds 4 KB. */
const MAX_NAMED = 40;
/** So many projects are remembered, so that hostile names can't fill the memory. */
const MAX_REMEMBERED = 20_000;
const LAST: Instant = Date.UTC(10_000, 0) - 1;

interface Segment {
  readonly from: Instant;
  readonly stem: Stem;
}

interface Remembered {
  readonly segments: readonly Segment[];
  /** The place found last, and the span for which it holds. */
  name: string;
  from: Instant;
  until: Instant;
}

/** The places that a plan gives. Pure: the same plan, project and time give the same place. */
export class PlannedPlaces implements IndexPlaces {
  readonly #prefix: string;
  readonly #plan: IndexPlan;
  readonly #entries: Map<ProjectId, PlanEntry[]>;
  readonly #remembered = new Map<ProjectId, Remembered>();

  /** @param prefix such as `tollgate-logs` */
  constructor(prefix: string, plan: IndexPlan) {
    this.#prefix = prefix;
    this.#plan = plan;
    this.#entries = Map.groupBy(plan.entries, ({ project }) => project);
  }

  place(project: ProjectId, at: Instant): string {
    const time = this.#held(at);
    const known = this.#of(project);
    if (time >= known.from && time < known.until) return known.name;
    const index = known.segments.findLastIndex(({ from }) => from <= time);
    const { from, stem } = must(known.segments[index], 'segments start at the beginning');
    known.name = indexName(stem, time);
    // A period that a change of the plan cuts is found again from its start, which is enough.
    known.from = Math.max(from, time);
    known.until = Math.min(
      nextPeriod(time, stem.period),
      known.segments[index + 1]?.from ?? Number.POSITIVE_INFINITY,
    );
    return known.name;
  }

  places(project: ProjectId, from: Instant, until: Instant): readonly string[] {
    if (!(from < until)) return [];
    const first = this.#held(from);
    const last = this.#held(until - 1);
    const { segments } = this.#of(project);
    const found = new Set<string>();
    for (const [index, { from: start, stem }] of segments.entries()) {
      const next = segments[index + 1]?.from ?? LAST + 1;
      const low = Math.max(first, start);
      const high = Math.min(last, next - 1);
      if (low <= high) for (const name of namesOf(stem, low, high)) found.add(name);
    }
    return [...found];
  }

  /** Times that nobody can mean share the places at the plan's two ends. */
  #held(at: Instant): Instant {
    return Math.min(LAST, Math.max(this.#plan.oldest, at));
  }

  #of(project: ProjectId): Remembered {
    const known = this.#remembered.get(project);
    if (known !== undefined) return known;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    const made = { segments: this.#segments(project), name: '', from: 1, until: 0 };
    this.#remembered.set(project, made);
    return made;
  }

  #segments(project: ProjectId): Segment[] {
    const own = this.#entries.get(project) ?? [];
    const pooledFirst =
      own[0]?.validFrom === BEGINNING ? [] : [{ from: BEGINNING, own: undefined }];
    const spans = [
      ...pooledFirst,
      ...own.map((entry) => ({
        from: entry.validFrom,
        own: entry.layout === 'pooled' ? undefined : entry.layout,
      })),
    ];
    return spans.flatMap((span, index) => {
      if (span.own === undefined) {
        return this.#pooled(project, span.from, spans[index + 1]?.from ?? LAST + 1);
      }
      const period = span.own === 'own-daily' ? 'day' : 'month';
      return [{ from: span.from, stem: ownStem(this.#prefix, project, period) }];
    });
  }

  #pooled(project: ProjectId, from: Instant, until: Instant): Segment[] {
    const { pools } = this.#plan;
    return pools.flatMap((entry, generation) => {
      const start = Math.max(from, entry.validFrom);
      const end = Math.min(until, pools[generation + 1]?.validFrom ?? until);
      if (start >= end) return [];
      const stem = poolStem(this.#prefix, generation, poolOf(project, entry.count));
      return [{ from: start, stem }];
    });
  }
}

/** Names of the periods that `[low, high]` touches. */
function namesOf(stem: Stem, low: Instant, high: Instant): string[] {
  const names: string[] = [];
  for (let at = low; at <= high; at = nextPeriod(at, stem.period)) {
    if (names.length === MAX_NAMED) return [`${stem.text}-*`];
    names.push(indexName(stem, at));
  }
  return names;
}
