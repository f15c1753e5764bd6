import type { Selectable } from 'kysely';
import type { ApplicationActivity } from '../../contracts/container-fact.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { ApplicationCost } from '../ledger-reader.ts';
import type { ApplicationState } from '../ledger-writer.ts';
import type { LedgerTables } from './ledger-schema.ts';

export type ApplicationRow = Selectable<LedgerTables['application']>;

const instantOf = (value: bigint | number | null): number | undefined =>
  value === null ? undefined : Number(value);

/** The part that facts say; written by the ledger writer, so that the shape of its JSON is known. */
export function applicationStateOf(row: ApplicationRow): ApplicationState {
  return {
    cluster: row.cluster,
    application: row.application,
    project: row.project as ProjectId,
    name: row.name,
    user: row.user,
    queue: row.queue,
    attempts: JSON.parse(row.attempts) as string[],
    tags: JSON.parse(row.tags) as Record<string, string>,
    url: row.url,
    start: Number(row.seen),
    ended: instantOf(row.ended),
  };
}

/**
 * @param activity of all attempts together
 * @param lastEnd latest end of its containers
 */
export function applicationCostOf(
  row: ApplicationRow,
  activity: ApplicationActivity | undefined,
  lastEnd: bigint | number | null,
): ApplicationCost {
  const { ended, ...identity } = applicationStateOf(row);
  const state = row.state as 'running' | 'ended';
  const inferred = Number(row.inferred) > 0;
  return {
    ...identity,
    state,
    start: Number(row.start),
    end: state === 'ended' ? (ended ?? instantOf(lastEnd)) : undefined,
    containersRunning: Number(row.running),
    containersTotal: Number(row.total),
    millicores: Number(row.millicores),
    memoryMib: Number(row.memory_mib),
    gpus: Number(row.gpus),
    coverage: state === 'running' ? 'running' : inferred ? 'inferred' : 'exact',
    charged: BigInt(row.charged),
    inferred: BigInt(row.inferred_charged),
    accrued: BigInt(row.accrued),
    perHour: BigInt(row.per_hour),
    activity,
  };
}
