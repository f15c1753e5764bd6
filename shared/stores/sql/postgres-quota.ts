import { AppError } from '../../errors/app-error.ts';
import { grantedAt } from '../../grants/grant-turns.ts';
import type { Instant } from '../../values/instant.ts';
import { BASE_STEP, type PriceStep } from '../../values/price-step.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { Balance, LedgerReader } from '../ledger-reader.ts';
import type { PostgresConfig } from './config.ts';
import { parseExpired } from './expired-holds.ts';
import { type Connections, type NamedStatement, openPostgresPool } from './postgres-pool.ts';
import { parseTurns } from './turns-column.ts';
import { parseReadings } from './use-readings.ts';

type Answer = Awaited<ReturnType<LedgerReader['quota']>>;

interface Question {
  readonly project: ProjectId;
  readonly pool: string;
  readonly now: Instant;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

type Row = Record<
  'project' | 'granted' | 'charged' | 'inferred' | 'accrued' | 'per_hour' | 'turns',
  string
> & {
  readonly unlimited: number;
  readonly reserved: string;
  readonly millicores: bigint | number;
  readonly reserved_millicores: bigint | number;
  /** What holds nothing any more though nobody has swept it. */
  readonly expired: string | null;
  readonly readings: string;
  readonly as_of: bigint | number;
  /** An array of PostgreSQL as text, such as `{1000,NULL}`: the same in every row. */
  readonly steps: string;
};

/** Statements on the way at once: while one is answered, the next is read. */
const STATEMENTS_MAX = 2;
/** Checks of one statement: some 2 ms of the server. */
const QUESTIONS_MAX = 500;
/** Checks that wait, of some 200 bytes each. */
const WAITING_MAX = 20_000;

/**
 * The read that stands in the path of every job's start: a few look-ups by key for each project
 * ($1, at the time $4), and one for each price ($2 and $3: pool and time), which most checks of a
 * batch share. The sums are kept by whoever writes; what reservations hold whose lease is over and
 * that nobody has swept is taken off. Nothing is remembered here, since others write too.
 */
export const QUOTA: NamedStatement = {
  name: 'tollgate_quota',
  text: `
    SELECT balance.project, granted, charged, inferred, accrued, per_hour, unlimited, reserved,
      millicores, reserved_millicores, readings, turns,
      CASE WHEN reserved <> '0' OR reserved_millicores <> 0 THEN
        (SELECT string_agg(pending || ' ' || pending_millicores, ',') FROM reservation
          WHERE reservation.project = asked.project AND state = 'held'
            AND expires_at <= asked.at)
      END AS expired,
      (SELECT min(as_of) FROM shard) AS as_of,
      ARRAY(
        SELECT (SELECT step FROM price_epoch WHERE pool = priced.pool AND start <= priced.at
          ORDER BY start DESC LIMIT 1)
        FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS priced (pool, at, n)
        ORDER BY n
      )::text AS steps
    FROM unnest($1::text[], $4::bigint[]) AS asked (project, at)
      JOIN balance ON balance.project = asked.project`,
};

/** Planned once a connection: left to itself, the server plans anew for each batch. */
const QUOTA_SESSION = { plan_cache_mode: 'force_generic_plan' };

/**
 * Connections for quota checks alone, so that no check waits behind the reads of a page or a
 * statement of an hour. Connects when it is first asked.
 */
export function openQuotaPool(config: PostgresConfig): Connections {
  return openPostgresPool({ ...config, poolSize: STATEMENTS_MAX }, QUOTA_SESSION);
}

function balanceOf(project: ProjectId, row: Row, now: Instant): Balance {
  const expired = parseExpired(row.expired);
  return {
    project,
    granted: grantedAt(BigInt(row.granted), parseTurns(row.turns), now),
    charged: BigInt(row.charged),
    inferred: BigInt(row.inferred),
    accrued: BigInt(row.accrued),
    reserved: BigInt(row.reserved) - expired.pending,
    millicores: Number(row.millicores),
    reservedMillicores: Number(row.reserved_millicores) - expired.millicores,
    readings: parseReadings(row.readings),
    perHour: BigInt(row.per_hour),
    asOf: Number(row.as_of),
    unlimited: row.unlimited === 1,
  };
}

function stepsOf({ steps }: Row): PriceStep[] {
  const texts = steps.slice(1, -1).split(',');
  return texts.map((text) => (text === 'NULL' ? BASE_STEP : Number(text)));
}

/** Each pool and time that is asked for, once. */
class Prices {
  readonly pools: string[] = [];
  readonly times: Instant[] = [];
  readonly #places = new Map<string, number>();

  /** Where its price stands among those of the statement. */
  add({ pool, now }: Pick<Question, 'pool' | 'now'>): number {
    const key = `${now} ${pool}`;
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.pools.length);
    this.times.push(now);
    return this.pools.push(pool) - 1;
  }
}

/**
 * Each project once, at the earliest time that is asked for: of the checks of one turn, none takes a
 * hold for over that isn't at its own time.
 */
function timesOf(questions: readonly Question[]): Map<ProjectId, Instant> {
  const times = new Map<ProjectId, Instant>();
  for (const { project, now } of questions) {
    times.set(project, Math.min(now, times.get(project) ?? now));
  }
  return times;
}

async function ask(
  connections: Pick<Connections, 'read'>,
  questions: readonly Question[],
): Promise<void> {
  try {
    const prices = new Prices();
    const places = questions.map((question) => prices.add(question));
    const asked = timesOf(questions);
    const rows = await connections.read<Row>(QUOTA, [
      [...asked.keys()],
      prices.pools,
      prices.times,
      [...asked.values()],
    ]);
    const [first] = rows;
    const steps = first === undefined ? [] : stepsOf(first);
    const byProject = new Map(rows.map((row) => [row.project, row]));
    for (const [index, { project, now, resolve }] of questions.entries()) {
      const row = byProject.get(project);
      const step = steps[places[index] ?? 0] ?? BASE_STEP;
      resolve(row === undefined ? undefined : { balance: balanceOf(project, row, now), step });
    }
  } catch (error) {
    for (const { reject } of questions) reject(error);
  }
}

/**
 * Reads quotas: at once while the server keeps up, and otherwise those that came meanwhile in one
 * statement, so that many checks cost few round trips. Each sees what was committed before it came.
 */
export function postgresQuota(connections: Pick<Connections, 'read'>): LedgerReader['quota'] {
  const waiting: Question[] = [];
  let onTheWay = 0;
  const next = (): void => {
    while (waiting.length > 0 && onTheWay < STATEMENTS_MAX) {
      onTheWay += 1;
      void ask(connections, waiting.splice(0, QUESTIONS_MAX)).finally(() => {
        onTheWay -= 1;
        next();
      });
    }
  };
  return (project, pool, now) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= WAITING_MAX) {
        reject(new AppError('OVERLOADED', 'too many quota checks wait; send again later'));
        return;
      }
      waiting.push({ project, pool, now: Math.trunc(now), resolve, reject });
      // The checks of one turn of the event loop go together.
      if (waiting.length === 1) setImmediate(next);
    });
}
