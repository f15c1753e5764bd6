import { AppError } from '../../errors/app-error.ts';
import type { Instant } from '../../values/instant.ts';
import { BASE_STEP } from '../../values/price-step.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { LedgerReader } from '../ledger-reader.ts';
import type { Connections, NamedStatement } from './postgres-pool.ts';

type Answer = Awaited<ReturnType<LedgerReader['quota']>>;

interface Question {
  readonly project: ProjectId;
  readonly pool: string;
  readonly now: Instant;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

type Row = Record<'granted' | 'charged' | 'accrued' | 'per_hour', string> & {
  readonly n: bigint | number;
  readonly unlimited: number;
  readonly as_of: bigint | number;
  readonly step: bigint | number | null;
};

/** Statements on the way at once: while one is answered, the next is read. */
const STATEMENTS_MAX = 2;
/** Checks of one statement: some 5 ms of the server. */
const QUESTIONS_MAX = 500;
/** Checks that wait, of some 200 bytes each. */
const WAITING_MAX = 20_000;

/**
 * The read that stands in the path of every job's start: for each check three look-ups by primary
 * key. The sums are kept by whoever writes; nothing is remembered here, since others write too.
 */
export const QUOTA: NamedStatement = {
  name: 'tollgate_quota',
  text: `
    SELECT n, granted, charged, accrued, per_hour, unlimited,
      (SELECT value FROM meta WHERE name = 'as_of') AS as_of,
      (SELECT step FROM price_epoch WHERE pool = asked.pool AND start <= asked.at
        ORDER BY start DESC LIMIT 1) AS step
    FROM unnest($1::text[], $2::text[], $3::bigint[])
      WITH ORDINALITY AS asked (project, pool, at, n)
    JOIN balance ON balance.project = asked.project`,
};

function answerOf(project: ProjectId, row: Row | undefined): Answer {
  if (row === undefined) return undefined;
  return {
    balance: {
      project,
      granted: BigInt(row.granted),
      charged: BigInt(row.charged),
      accrued: BigInt(row.accrued),
      perHour: BigInt(row.per_hour),
      asOf: Number(row.as_of),
      unlimited: row.unlimited === 1,
    },
    step: row.step === null ? BASE_STEP : Number(row.step),
  };
}

async function ask(
  connections: Pick<Connections, 'read'>,
  questions: readonly Question[],
): Promise<void> {
  try {
    const rows = await connections.read<Row>(QUOTA, [
      questions.map(({ project }) => project),
      questions.map(({ pool }) => pool),
      questions.map(({ now }) => now),
    ]);
    const byNumber = new Map(rows.map((row) => [Number(row.n), row]));
    for (const [index, { project, resolve }] of questions.entries()) {
      resolve(answerOf(project, byNumber.get(index + 1)));
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
