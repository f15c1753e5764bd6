import type { Clock } from '../runtime/clock.ts';
import type {
  AdmissionSight,
  ApplicationSight,
  ClusterSight,
  TargetReader,
} from './cluster-actuator.ts';
import { type ActivityQuestion, type ActivitySources, readActivity } from './read-activity.ts';

export interface WatchedTargetOptions extends Omit<ActivityQuestion, 'now'> {
  readonly reader: TargetReader;
  readonly sources: ActivitySources;
  readonly clock: Clock;
}

/**
 * Looks at a target by its manager, and joins to a running cluster's activity what the stores know
 * of it. A store that can't be read makes the cluster unknown: activity may stand in it.
 */
export class WatchedTargetReader implements TargetReader {
  readonly #options: WatchedTargetOptions;

  constructor(options: WatchedTargetOptions) {
    this.#options = options;
  }

  async admission(subject: string, signal: AbortSignal): Promise<AdmissionSight> {
    const { reader } = this.#options;
    if (reader.admission !== undefined) return reader.admission(subject, signal);
    return { outcome: 'unknown', why: 'its manager does not tell whether new work gets in' };
  }

  application(id: string, signal: AbortSignal): Promise<ApplicationSight> {
    return this.#options.reader.application(id, signal);
  }

  async cluster(signal: AbortSignal): Promise<ClusterSight> {
    const { reader, sources, clock, ...question } = this.#options;
    const sight = await reader.cluster(signal);
    if (sight.outcome !== 'seen' || sight.state !== 'running') return sight;
    try {
      const stored = await readActivity(sources, { ...question, now: clock.now() });
      return { ...sight, activity: [...sight.activity, ...stored] };
    } catch (error) {
      signal.throwIfAborted();
      const what = error instanceof Error ? error.message : String(error);
      return { outcome: 'unknown', why: `what it does can't be read: ${what}` };
    }
  }
}
