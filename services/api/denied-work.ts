import type { EnforcementAction } from '../../shared/contracts/action.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { EnforcementReader } from '../../shared/stores/enforcement-store.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';

/** Its answer stands in the path of every job's start, and so is never waited for there. */
const INTERVAL_MS = 2_000;

export interface DeniedWorkDeps {
  readonly store: Pick<EnforcementReader, 'open' | 'globalSwitch'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Whether an action denies a project new work in Tollgate's own admission. */
function denies({ level, state, means }: EnforcementAction): boolean {
  return level === 'deny-new-work' && means === 'admission' && state === 'verified';
}

/**
 * Which projects get no new work in, as enforcement decided: read every 2 s, and while the store
 * doesn't answer as it was read last. Nobody is denied while enforcement is switched off.
 */
export class DeniedWork implements AsyncDisposable {
  readonly #deps: DeniedWorkDeps;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #why: ReadonlyMap<string, string> = new Map();
  #failed = false;

  private constructor(deps: DeniedWorkDeps) {
    this.#deps = deps;
    this.#loop = this.#run();
  }

  /** @throws AppError when the store can't be read at the start */
  static async open(deps: DeniedWorkDeps): Promise<DeniedWork> {
    const denied = new DeniedWork(deps);
    denied.#why = await denied.#read();
    return denied;
  }

  /** Why a project gets no new work in; undefined where it does. */
  readonly of = (project: string): string | undefined => this.#why.get(project);

  async #read(): Promise<ReadonlyMap<string, string>> {
    const { store } = this.#deps;
    const [turned, actions] = await Promise.all([store.globalSwitch(), store.open()]);
    if (turned?.on === false) return new Map();
    return new Map(
      actions.filter(denies).flatMap(({ id, policy, rule, project }) => {
        const why = `project ${project} gets no new work in: policy ${policy} acts on ${rule} (${id})`;
        return project === undefined ? [] : [[project, why] as const];
      }),
    );
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#deps;
    const { signal } = this.#stop;
    for (;;) {
      await clock.sleep(INTERVAL_MS, signal);
      if (signal.aborted) return;
      try {
        this.#why = await this.#read();
        this.#failed = false;
      } catch (error) {
        if (!this.#failed) logger.warn({ err: error }, 'denials are as they were read last');
        this.#failed = true;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }
}
