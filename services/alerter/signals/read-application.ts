import { applicationKey } from '../../../shared/stores/journal.ts';
import { RESERVATION_TAG } from '../../../shared/stores/reservation-store.ts';
import { type Instant, SECOND_MS, utcHour } from '../../../shared/values/instant.ts';
import { NANOCREDITS_PER_CREDIT } from '../../../shared/values/money.ts';
import type { SignalOf } from '../rules/signal-config.ts';
import { agentWork, applicationIdle } from './application-idle.ts';
import { applicationSample, type ToldApplication } from './application-sample.ts';
import { applicationStarts } from './application-start.ts';
import { executorLosses } from './executor-losses.ts';
import { type Held, heldContainers } from './held-containers.ts';
import { isPast } from './is-past.ts';
import { endedApplications, runningApplications, type Watched } from './list-applications.ts';
import { readFailed, readFailures } from './read-failures.ts';
import { seen } from './seen.ts';
import type { SignalDeps } from './signal-deps.ts';
import { type ReadSubjects, wholeRead } from './subjects-read.ts';
import { EarlierRuns, workloadRatio } from './workload-ratio.ts';

type Config = SignalOf<'application'>;
type Running = Exclude<Config, { measure: 'failed' | 'failures' }>;
type Tell = (watched: Watched) => ToldApplication | Promise<ToldApplication>;

interface Look {
  readonly at: Instant;
  readonly settled: Instant | undefined;
}

function runTime({ app }: Watched, { at, settled }: Look): ToldApplication {
  const value = Math.max(0, at - app.start) / SECOND_MS;
  return { value, evidence: [seen(['run time', value, 's'], 'ledger', settled)] };
}

/** The ledger's sums are of now: of a past moment the rows of whole hours are. */
async function cost(
  deps: Pick<SignalDeps, 'spending' | 'clock'>,
  { app }: Watched,
  { at, settled }: Look,
): Promise<ToldApplication> {
  const { project, cluster, application } = app;
  let amount = app.charged + app.accrued;
  if (isPast(deps, at)) {
    const window = { from: 0, until: utcHour(at) };
    const hours = await deps.spending.hourlySpending(project, window, { cluster, application });
    amount = hours.reduce((sum, hour) => sum + hour.amount, 0n);
  }
  const value = Number(amount) / Number(NANOCREDITS_PER_CREDIT);
  return { value, evidence: [seen(['cost so far', value, 'credits'], 'ledger', settled)] };
}

function unreserved(
  { app, key }: Watched,
  reserved: ReadonlySet<string>,
  { at, settled }: Look,
): ToldApplication {
  const has = reserved.has(key);
  const value = has ? 0 : Math.max(0, at - app.start) / SECOND_MS;
  return {
    value,
    evidence: [seen(['seconds without a reservation', value, 's'], 'ledger', settled)],
    annotations: { reservation: app.tags[RESERVATION_TAG] ?? '' },
  };
}

async function telling(
  config: Running,
  deps: SignalDeps,
  watched: readonly Watched[],
  look: Look,
): Promise<Tell> {
  const { at } = look;
  switch (config.measure) {
    case 'run-time':
      return (one) => runTime(one, look);
    case 'cost':
      return (one) => cost(deps, one, look);
    case 'unreserved': {
      const reserved = await deps.applications.reserved(watched.map(({ app }) => app));
      return (one) => unreserved(one, reserved, look);
    }
    case 'idle': {
      const held = await heldContainers(deps, watched, at);
      const from = at - config.lookback;
      const projects = new Set(watched.map(({ app }) => app.project));
      const work = await agentWork(deps, projects, { from, until: at + 1 });
      return (one) => {
        const known = { held: held.get(one.key), work: work.get(one.key) };
        return applicationIdle(deps, one, known, { from, at });
      };
    }
    case 'driver-silence': {
      const held = await heldContainers(deps, watched, at);
      return (one) => driverSilence(held.get(one.key), look);
    }
    case 'executor-losses': {
      const told = await executorLosses(deps, watched, { from: at - config.window, at });
      return ({ key }) => told.get(key) ?? { value: 0, evidence: [] };
    }
    case 'cost-ratio':
    case 'duration-ratio': {
      const runs = new EarlierRuns(deps);
      return (one) => workloadRatio(config, deps, one, { runs, at });
    }
  }
}

/** Where only an event log tells of a driver, its silence is no more than that nothing happens. */
function driverSilence(held: Held | undefined, { at, settled }: Look): ToldApplication {
  const seenAt = held?.isWatched === true ? held.driverSeenAt : undefined;
  const value = seenAt === undefined ? undefined : Math.max(0, at - seenAt) / SECOND_MS;
  const why = value === undefined ? 'no agent and no manager tells that its driver lives' : '';
  const evidence = [seen(['seconds since the driver was seen', value, 's'], 'journal', settled)];
  return { value, why, evidence };
}

async function subjects(config: Running, deps: SignalDeps, at: Instant): Promise<Watched[]> {
  const running = await runningApplications(config, deps, at);
  if (config.measure !== 'cost-ratio' && config.measure !== 'duration-ratio') return running;
  const ended = await endedApplications(config, deps, at);
  return [...new Map([...running, ...ended].map((one) => [applicationKey(one.app), one])).values()];
}

/** As new as the meter is: what it has not settled yet is in no answer. */
export function readApplication(config: Config, deps: SignalDeps): ReadSubjects {
  if (config.measure === 'failed') return readFailed(config, deps);
  if (config.measure === 'failures') return readFailures(config, deps);
  return async (at, _limit, signal) => {
    const settled = await deps.applications.settledUntil();
    const watched = await subjects(config, deps, at);
    const refs = watched.map(({ app }) => app);
    const starts = await applicationStarts(deps, refs, at);
    const tell = await telling(config, deps, watched, { at, settled });
    const samples = [];
    for (const one of watched) {
      signal.throwIfAborted();
      samples.push(applicationSample(one, starts, await tell(one)));
    }
    return wholeRead(samples, [settled === undefined ? undefined : Math.min(settled, at)]);
  };
}
