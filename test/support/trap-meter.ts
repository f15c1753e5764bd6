import type { ContainerFact } from '../../shared/contracts/container-fact.ts';
import { DAY_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { applicationFact, containerFact, T0 } from './fact-builders.ts';
import { allCharges, type MeteringRun, runMetering } from './metering-run.ts';

export const ETL = 'etl' as ProjectId;
export const seen = applicationFact('application-seen', T0 - 1_000);
export const started = containerFact('container-started', T0);
export const stopAt = (at: number, more: Partial<ContainerFact> = {}): ContainerFact =>
  containerFact('container-stopped', at, more);
export const sight = (until: number) => ({ cluster: 'yarn-1', container: 'c1', until });
export const WINDOW = { from: T0 - 400 * DAY_MS, until: T0 + 400 * DAY_MS };

/** Settles when it is told something, and no more often than it must: a test may pass years. */
export function meterAt(
  now: number,
  options: Parameters<typeof runMetering>[1] = {},
): Promise<MeteringRun> {
  return runMetering(now, { settleIntervalMs: DAY_MS, ...options });
}

/** Net container-milliseconds of the ledger. */
export async function netMs(run: MeteringRun, container?: string): Promise<number> {
  const rows = await allCharges(run.ledger);
  const mine = rows.filter((row) => container === undefined || row.container === container);
  return Number(mine.reduce((sum, { quantity }) => sum + quantity.containerMs, 0n));
}

export async function netAmount(run: MeteringRun): Promise<bigint> {
  return (await allCharges(run.ledger)).reduce((sum, { amount }) => sum + amount, 0n);
}

export async function anomalies(run: MeteringRun, project: ProjectId = ETL) {
  const page = await run.ledger.ledgerReader.anomalies(project, WINDOW, { limit: 99 });
  return page.anomalies.map(({ anomaly, container }) => `${anomaly} ${container}`);
}
