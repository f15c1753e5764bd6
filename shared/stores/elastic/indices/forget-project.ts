import type { Client } from '@elastic/elasticsearch';
import { AppError } from '../../../errors/app-error.ts';
import { backoffMs } from '../../../runtime/backoff.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { ProjectId } from '../../../values/project-id.ts';
import { planFault, statusOf } from './plan-fault.ts';
import { presentIndices } from './plan-indices.ts';
import { projectAlias } from './plan-names.ts';
import { dropIndex } from './retention.ts';

const PAGE = 1_000;
const KEEP_ALIVE = '5m';
/** Rounds over one index: a writer that goes on storing the project must not hold it for ever. */
const ROUNDS = 5;
const TRIES = 8;

export interface Forgotten {
  /** The project's own. */
  readonly indicesDropped: number;
  /** In them, and deleted one by one from pools. */
  readonly records: number;
}

export interface ForgetParts {
  readonly client: Client;
  /** Of the log indices, such as `tollgate-logs`. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Told after each step what was forgotten so far. */
  readonly onProgress?: (forgotten: Forgotten) => void;
}

/**
 * Takes all logs of one project away: its own indices, and its records in every pool there is. What
 * an interrupted run left is taken by the next, which counts what it takes itself. Stop the
 * project's sources first: a record stored meanwhile may stay.
 */
export async function forgetProject(parts: ForgetParts, project: ProjectId): Promise<Forgotten> {
  const { client, prefix, signal } = parts;
  const forgotten = { indicesDropped: 0, records: 0 };
  const tell = (): void => parts.onProgress?.({ ...forgotten });
  for (const index of await presentIndices(client, prefix)) {
    signal.throwIfAborted();
    if (index.project === project) {
      if (!(await dropIndex(client, index))) continue;
      forgotten.indicesDropped += 1;
      forgotten.records += index.records;
      tell();
    } else if (index.project === undefined) {
      for await (const deleted of deleteRecords(parts, index.name, project)) {
        forgotten.records += deleted;
        tell();
      }
      await removeAlias(client, index.name, projectAlias(prefix, project));
    }
  }
  return forgotten;
}

/** Yields how many records each batch deleted. */
async function* deleteRecords(
  parts: ForgetParts,
  index: string,
  project: ProjectId,
): AsyncGenerator<number> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const ids = pagesOfIds(parts.client, index, project);
    let found = 0;
    for await (const page of ids) {
      parts.signal.throwIfAborted();
      found += page.length;
      yield await deleteIds(parts, index, page);
    }
    if (found === 0) return;
  }
  throw new AppError(
    'CONFLICT',
    `Logs of project ${project} still arrive in ${index}; stop its sources, then forget it again.`,
  );
}

/** Ids of the project's records as they are now, in pages. */
async function* pagesOfIds(
  client: Client,
  index: string,
  project: ProjectId,
): AsyncGenerator<string[]> {
  const doing = `search ${index} for records of project ${project}`;
  try {
    await client.indices.refresh({ index });
    const { id } = await client.openPointInTime({ index, keep_alive: KEEP_ALIVE });
    let pit = id;
    let after: unknown[] | undefined;
    try {
      for (;;) {
        const page = await client.search({
          pit: { id: pit, keep_alive: KEEP_ALIVE },
          query: { term: { project } },
          sort: [{ _shard_doc: 'asc' }],
          size: PAGE,
          _source: false,
          track_total_hits: false,
          ...(after === undefined ? {} : { search_after: after as string[] }),
        });
        pit = page.pit_id ?? pit;
        const { hits } = page.hits;
        if (hits.length === 0) return;
        yield hits.flatMap(({ _id }) => (_id === undefined ? [] : [_id]));
        after = hits.at(-1)?.sort;
      }
    } finally {
      await client.closePointInTime({ id: pit });
    }
  } catch (error) {
    // An index that retention drops meanwhile has forgotten everything.
    if (statusOf(error) !== 404) throw planFault(error, doing);
  }
}

/** Deletes them all, as long as the server is only too busy; those that are gone count nothing. */
async function deleteIds(
  parts: ForgetParts,
  index: string,
  ids: readonly string[],
): Promise<number> {
  const { client, clock, random, signal } = parts;
  let left = ids;
  let deleted = 0;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const answer = await client
      .bulk({ index, operations: left.map((_id) => ({ delete: { _id } })) })
      .catch((error: unknown) => {
        if (statusOf(error) === 429) return undefined;
        throw planFault(error, `delete records in ${index}`);
      });
    const items = answer?.items.map((item) => item.delete);
    const busy = items?.flatMap((item) => (isBusy(item?.status) ? [item?._id ?? ''] : [])) ?? left;
    const refused = items?.find((item) => isRefused(item?.status));
    deleted += items?.filter((item) => item?.status === 200).length ?? 0;
    if (refused !== undefined) {
      throw new AppError(
        'STORE_MISCONFIGURED',
        `Elasticsearch refused to delete records in ${index} (${refused.error?.type}); give ` +
          'Tollgate the right "delete" there.',
      );
    }
    if (busy.length === 0) return deleted;
    left = busy;
    await clock.sleep(backoffMs(attempt, { baseMs: 200, capMs: 10_000, random }), signal);
    signal.throwIfAborted();
  }
  throw new AppError(
    'STORE_UNAVAILABLE',
    `Elasticsearch was too busy to delete records in ${index}; forget the project again later.`,
  );
}

function isBusy(status: number | undefined): boolean {
  return status === 429 || status === 503;
}

function isRefused(status: number | undefined): boolean {
  return status !== undefined && status >= 400 && status !== 404 && !isBusy(status);
}

async function removeAlias(client: Client, index: string, alias: string): Promise<void> {
  try {
    await client.indices.deleteAlias({ index, name: alias });
  } catch (error) {
    if (statusOf(error) !== 404) throw planFault(error, `remove the alias ${alias}`);
  }
}
