import type { Clock } from '../../runtime/clock.ts';
import type { ApplicationSight, ClusterSight, TargetReader } from '../cluster-actuator.ts';
import { findTarget } from './find-target.ts';
import { StandaloneMaster, type StandaloneMasterOptions } from './standalone-master.ts';

export interface StandaloneTargetOptions extends StandaloneMasterOptions {
  readonly clock: Clock;
}

/**
 * What the master that is ALIVE says of one target, whenever it is asked. It lets everybody in: it
 * has no `admission`.
 */
export class StandaloneTargetReader implements TargetReader {
  readonly #clock: Clock;
  readonly #master: StandaloneMaster;

  constructor({ clock, ...master }: StandaloneTargetOptions) {
    this.#clock = clock;
    this.#master = new StandaloneMaster(master);
  }

  async application(id: string, signal: AbortSignal): Promise<ApplicationSight> {
    const at = this.#clock.now();
    const alive = await this.#master.findAlive(signal);
    if (typeof alive === 'string') return { outcome: 'unknown', why: alive };
    const target = findTarget(alive.state, id);
    if (typeof target === 'string') return { outcome: 'unknown', why: target };
    if (target === undefined) return { outcome: 'absent', at };
    return { outcome: 'seen', ...target, queue: '', tags: {}, at };
  }

  /** A standalone cluster can't be ended through its master: it is protected. */
  async cluster(signal: AbortSignal): Promise<ClusterSight> {
    const at = this.#clock.now();
    const alive = await this.#master.findAlive(signal);
    if (typeof alive === 'string') return { outcome: 'unknown', why: alive };
    return {
      outcome: 'seen',
      state: 'running',
      name: alive.state.url,
      startedAt: undefined,
      owner: '',
      tags: {},
      market: 'unknown',
      protected: true,
      activity: [],
      at,
    };
  }
}
