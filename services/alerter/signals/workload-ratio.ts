import { applicationKey } from '../../../shared/stores/journal.ts';
import type { WorkloadRun } from '../../../shared/stores/workload-reader.ts';
import { type Instant, SECOND_MS } from '../../../shared/values/instant.ts';
import { NANOCREDITS_PER_CREDIT, type Nanocredits } from '../../../shared/values/money.ts';
import type { SignalOf } from '../rules/signal-config.ts';
import type { ToldApplication } from './application-sample.ts';
import type { Watched } from './list-applications.ts';
import { median } from './median.ts';
import { runCauses } from './run-causes.ts';
import { seen } from './seen.ts';
import type { SignalDeps } from './signal-deps.ts';

type Deps = Pick<SignalDeps, 'workloads' | 'metrics' | 'ledger'>;
type Config = Extract<SignalOf<'application'>, { measure: 'cost-ratio' | 'duration-ratio' }>;

/** Runs that began after this one, or this one itself, may be among the newest. */
const SPARE = 10;
/** Less than this nobody asks why. */
const WHY_ABOVE = 1.5;

const creditsOf = (amount: Nanocredits): number => Number(amount) / Number(NANOCREDITS_PER_CREDIT);

interface Compared {
  readonly now: number;
  readonly of: (run: WorkloadRun) => number;
  readonly minimum: number;
  readonly unit: string;
}

function compared(config: Config, { app }: Watched, at: Instant): Compared {
  if (config.measure === 'cost-ratio') {
    return {
      now: creditsOf(app.charged + app.accrued),
      of: ({ charged }) => creditsOf(charged),
      ...{ minimum: config.minimum, unit: 'credits' },
    };
  }
  return {
    now: ((app.end ?? at) - app.start) / SECOND_MS,
    of: ({ start, end }) => (end - start) / SECOND_MS,
    ...{ minimum: config.minimum / SECOND_MS, unit: 's' },
  };
}

/** Earlier runs of workloads; each workload is read once for a look at all applications. */
export class EarlierRuns {
  readonly #workloads: SignalDeps['workloads'];
  readonly #read = new Map<string, Promise<WorkloadRun[]>>();

  constructor({ workloads }: Pick<SignalDeps, 'workloads'>) {
    this.#workloads = workloads;
  }

  of({ app }: Watched, limit: number): Promise<WorkloadRun[]> {
    const key = `${app.project}\n${app.name}`;
    const workload = { name: app.name, tags: {} };
    const runs = this.#read.get(key) ?? this.#workloads.runs(app.project, workload, limit + SPARE);
    this.#read.set(key, runs);
    return runs;
  }
}

/** One run over the median of those before it on the same cluster. */
export async function workloadRatio(
  config: Config,
  deps: Deps,
  watched: Watched,
  { runs, at }: { readonly runs: EarlierRuns; readonly at: Instant },
): Promise<ToldApplication> {
  const { app, key } = watched;
  const { now, of, minimum, unit } = compared(config, watched, at);
  const found = await runs.of(watched, config.runs);
  const before = found
    .filter(
      (run) => run.cluster === app.cluster && run.end <= app.start && applicationKey(run) !== key,
    )
    .slice(0, config.runs);
  const usual = median(before.map(of));
  const value = usual === undefined || usual === 0 ? undefined : now / usual;
  const told = (ratio: number | undefined, why = ''): ToldApplication => ({
    value: ratio,
    why,
    evidence: [
      seen(['over the median of earlier runs', ratio, 'times'], 'ledger', at),
      seen(['this run', now, unit], 'ledger', at),
      seen([`median of ${before.length} runs`, usual, unit], 'ledger', at),
    ],
  });
  if (usual === undefined || before.length < config.minimum_runs) {
    const why = `${before.length} earlier runs are known, ${config.minimum_runs} are needed`;
    return told(undefined, why);
  }
  if (now < minimum) return told(0);
  if (value === undefined) return told(undefined, 'divided by zero: they cost nothing');
  if (value < WHY_ABOVE) return told(value);
  const itself = found.find((run) => applicationKey(run) === key);
  const { project, cluster, application, start, end = at } = app;
  const suspect = { project, cluster, application, start, end };
  const cause = await runCauses(deps, suspect, before, itself);
  return { ...told(value), annotations: { cause, usual: `${usual.toPrecision(3)} ${unit}` } };
}
