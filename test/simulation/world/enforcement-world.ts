import assert from 'node:assert/strict';
import type { LiveLook } from '../../../services/alerter/enforce/enforcer-deps.ts';
import type { ClusterActuator, TargetReader } from '../../../shared/clusters/cluster-actuator.ts';
import { DESTRUCTIVE_LEVELS, type EnforcementAction } from '../../../shared/contracts/action.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { SeededRandom } from './seeded-random.ts';

export const START = Date.UTC(2026, 10, 22, 8);
export const GRACE_MS = 6 * MINUTE_MS;
export const EVIDENCE_MAX_MS = 3 * MINUTE_MS;
export const BUDGET = { perTick: 2, perHour: 4, perProjectHour: 3, percentOfRunning: 60 };
export const ACT_WITHIN_MS = 10 * SECOND_MS;

/** One life of an application. Ids are used again. */
export interface Incarnation {
  readonly cluster: string;
  readonly id: string;
  readonly project: ProjectId;
  readonly kind: 'batch' | 'stream';
  /** By the manager's wall clock. */
  readonly startedAt: number;
  readonly isExempt: boolean;
  readonly hasAgent: boolean;
  /** When its alert would begin, in real time; never, for the good. */
  readonly breachesFrom: number;
  endedAt: number | undefined;
}

/** How a cluster tells of itself for a while. */
type Telling = 'truth' | 'stale' | 'empty' | 'part' | 'lying-part' | 'silent';
const TELLINGS: readonly Telling[] = ['stale', 'empty', 'part', 'lying-part', 'silent'];

interface Done {
  readonly at: number;
  readonly action: EnforcementAction;
}

/** What is true, whatever anybody believes; every question to a manager is judged here. */
export class EnforcementWorld {
  readonly random: SeededRandom;
  readonly lives: Incarnation[] = [];
  /** Real time, which no clock shows. */
  real = 0;
  wallOffset = START;
  /** When an announcement really arrived first. */
  readonly arrivals = new Map<string, number>();
  /** When a rule last found a breach on whole and fresh evidence, twice in a row. */
  readonly breaches = new Map<string, number>();
  readonly done: Done[] = [];
  /** Since when everything is switched off. */
  offSince: number | undefined;
  /** Reads an action as it is stored: the judge's own way. */
  lookUp: (id: string) => Promise<EnforcementAction | undefined> = async () => undefined;
  readonly #tellings = new Map<string, { telling: Telling; until: number }>();
  readonly #seen: { at: number; running: Incarnation[] }[] = [];

  constructor(random: SeededRandom) {
    this.random = random;
  }

  get wall(): number {
    return this.wallOffset + this.real;
  }

  /** A clock of one process's life. */
  clock(): Clock {
    const began = this.real;
    return {
      now: () => this.wall,
      elapsed: () => this.real - began,
      sleep: () => Promise.resolve(),
    };
  }

  running(): Incarnation[] {
    return this.lives.filter(({ endedAt }) => endedAt === undefined);
  }

  find(cluster: string, id: string): Incarnation | undefined {
    return this.running().find((one) => one.cluster === cluster && one.id === id);
  }

  begin(cluster: string, id: string): void {
    const { random } = this;
    this.lives.push({
      ...{ cluster, id },
      project: random.pick(['etl', 'ml', 'web']) as ProjectId,
      kind: random.chance(0.3) ? 'stream' : 'batch',
      startedAt: this.wall,
      isExempt: random.chance(0.15),
      hasAgent: random.chance(0.5),
      breachesFrom: random.chance(0.35) ? this.real + random.int(3, 25) * MINUTE_MS : Infinity,
      endedAt: undefined,
    });
  }

  /** Real time goes on; what is remembered for stale answers is as it was. */
  pass(ms: number): void {
    this.#seen.push({ at: this.real, running: this.running() });
    this.real += ms;
  }

  /** Clusters change how they tell of themselves. */
  turn(clusters: readonly string[]): void {
    for (const cluster of clusters) {
      if ((this.#tellings.get(cluster)?.until ?? 0) > this.real) continue;
      const odd = this.random.chance(0.12);
      const telling = odd ? this.random.pick(TELLINGS) : 'truth';
      const until = this.real + this.random.int(1, 6) * MINUTE_MS;
      this.#tellings.set(cluster, { telling, until });
    }
  }

  telling(cluster: string): Telling {
    return this.#tellings.get(cluster)?.telling ?? 'truth';
  }

  #past(cluster: string): { at: number; running: Incarnation[] } {
    const old = this.#seen.findLast(({ at }) => at <= this.real - 8 * MINUTE_MS);
    const { at, running } = old ?? { at: this.real - HOUR_MS, running: [] };
    const wallThen = this.wall - (this.real - at);
    return { at: wallThen, running: running.filter((one) => one.cluster === cluster) };
  }

  look(cluster: string): LiveLook {
    const telling = this.telling(cluster);
    const now = this.running().filter((one) => one.cluster === cluster);
    const past = this.#past(cluster);
    const half = now.slice(0, Math.ceil(now.length / 2));
    const parts: Record<Telling, { at: number; complete: boolean; shown: Incarnation[] }> = {
      truth: { at: this.wall, complete: true, shown: now },
      stale: { at: past.at, complete: true, shown: past.running },
      empty: { at: this.wall, complete: true, shown: [] },
      part: { at: this.wall, complete: false, shown: half },
      'lying-part': { at: this.wall, complete: true, shown: half },
      silent: { at: this.wall, complete: false, shown: [] },
    };
    const { at, complete, shown } = parts[telling];
    return {
      ...{ cluster, at, complete, why: complete ? '' : telling },
      applications: shown.map(({ id, startedAt, project, kind }) => {
        const words = { workload: `job-${id}`, user: 'ada', queue: 'root', tags: {} };
        return { id, startedAt, project, kind, ...words };
      }),
    };
  }

  reader(cluster: string): TargetReader {
    return {
      application: async (id) => {
        const telling = this.telling(cluster);
        if (telling === 'silent' || this.random.chance(0.05)) {
          return { outcome: 'unknown', why: telling };
        }
        const past = this.#past(cluster);
        const isOld = telling === 'stale';
        const from = isOld ? past.running : this.running();
        const at = isOld ? past.at : this.wall;
        const one = from.find((life) => life.cluster === cluster && life.id === id);
        if (one === undefined) return { outcome: 'absent', at };
        const words = { name: '', user: '', queue: 'root', tags: {}, finalState: '' };
        const { startedAt } = one;
        return { outcome: 'seen', state: 'running', startedAt, at, ...words };
      },
      cluster: async () => ({ outcome: 'unknown', why: 'not asked here' }),
    };
  }

  actuator(cluster: string, tickBegan: () => number): ClusterActuator {
    return {
      abilities: new Set(['kill-application']),
      act: async ({ id, subject }) => {
        await this.judge(id, tickBegan());
        const life = this.find(cluster, subject);
        const end = (): void => {
          if (life !== undefined) life.endedAt = this.real;
        };
        const lot = this.random.int(1, 10);
        if (lot <= 6) end();
        if (lot <= 6) return { outcome: 'accepted', detail: '' };
        if (lot === 7) return { outcome: 'accepted', detail: 'and ignored' };
        if (lot === 8) return { outcome: 'refused', detail: '403' };
        if (lot === 9) end();
        return { outcome: 'unknown', detail: 'the answer was lost' };
      },
    };
  }

  /** Whether an action may be asked for now, by what is true. */
  async judge(id: string, tickBegan: number): Promise<void> {
    const action = await this.lookUp(id);
    assert.ok(action, 'an action that nobody wrote down');
    const { target, level, project } = action;
    assert.equal(action.state, 'intended', 'asked without an intent');
    const name = `${level} of ${target.cluster}/${target.id} by ${action.policy}`;
    const life = this.find(target.cluster, target.id);
    if (life !== undefined) {
      assert.equal(life.startedAt, target.startedAt, `${name}: a foreign incarnation`);
      assert.equal(life.isExempt, false, `${name}: an exempt one`);
    }
    const heard = this.arrivals.get(id);
    assert.ok(heard !== undefined, `${name}: without a delivered announcement`);
    const graceMs = action.graceMs + action.extendedMs;
    assert.ok(
      this.real - heard >= graceMs,
      `${name}: ${this.real - heard} ms after its announcement`,
    );
    const found = this.breaches.get(action.alert) ?? -Infinity;
    const ageMs = this.real - found;
    assert.ok(ageMs <= EVIDENCE_MAX_MS + ACT_WITHIN_MS, `${name}: evidence is ${ageMs} ms old`);
    const telling = this.telling(target.cluster);
    const isHalf = telling === 'part' || telling === 'silent' || telling === 'stale';
    assert.ok(!isHalf || this.real > tickBegan, `${name}: on a ${telling} look`);
    const off = this.offSince ?? Infinity;
    assert.ok(off > tickBegan, `${name}: while it is switched off`);
    const same = this.done.filter(({ action: one }) => one.level === level);
    const twice = same.some(
      ({ action: one }) =>
        one.target.id === target.id &&
        one.target.cluster === target.cluster &&
        one.target.startedAt === target.startedAt,
    );
    assert.ok(!twice, `${name}: twice`);
    this.done.push({ at: this.real, action });
    if (!DESTRUCTIVE_LEVELS.has(level)) return;
    const hour = this.done.filter(({ at }) => at > this.real - HOUR_MS);
    assert.ok(hour.length <= BUDGET.perHour, `${name}: ${hour.length} within an hour`);
    const mine = hour.filter(({ action: one }) => one.project === project);
    assert.ok(mine.length <= BUDGET.perProjectHour, `${name}: ${mine.length} of ${project}`);
    const now = hour.filter(({ at }) => at >= tickBegan);
    assert.ok(now.length <= BUDGET.perTick, `${name}: ${now.length} in one round`);
  }
}
