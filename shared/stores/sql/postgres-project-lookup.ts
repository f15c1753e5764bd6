import type { Clock } from '../../runtime/clock.ts';
import type { Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { ProjectLookup } from '../project-lookup.ts';
import type { PostgresConfig } from './config.ts';
import { type Connections, type NamedStatement, openPostgresPool } from './postgres-pool.ts';

/** An answer is believed for this long: a later, better attribution moves an application. */
const KNOWN_MS = 60_000;
const UNKNOWN_MS = 2_000;
const REMEMBERED = 20_000;
/** Questions on the way; more are asked again when their time comes. */
const ASKING_MAX = 1_000;

type Row = { readonly cluster: string; readonly application: string; readonly project: string };

const NEWEST: NamedStatement = {
  name: 'tollgate_newest_applications',
  text: `SELECT cluster, application, project FROM application
    ORDER BY (state = 'running') DESC, start DESC LIMIT $1`,
};
const ONE: NamedStatement = {
  name: 'tollgate_project_of',
  text: 'SELECT cluster, application, project FROM application WHERE cluster = $1 AND application = $2',
};

interface Answer {
  readonly project: ProjectId | undefined;
  readonly until: Instant;
}

/**
 * Answers from memory at once and asks the server beside it: an application that became known a
 * moment ago is unknown until the answer is there. `settled` waits for the answers on the way.
 */
export class PostgresProjectLookup implements ProjectLookup {
  readonly #pool: Connections;
  readonly #clock: Clock;
  readonly #answers = new Map<string, Answer>();
  readonly #asking = new Map<string, Promise<void>>();

  private constructor(pool: Connections, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  /** Knows what runs, and the newest of what has ended, from the start. */
  static async open(pool: Connections, clock: Clock): Promise<PostgresProjectLookup> {
    const lookup = new PostgresProjectLookup(pool, clock);
    const rows = await pool.read<Row>(NEWEST, [REMEMBERED]);
    for (const row of rows.reverse()) lookup.#remember(row, row.project as ProjectId);
    return lookup;
  }

  projectOf(cluster: string, application: string): ProjectId | undefined {
    if (application === '') return undefined;
    const answer = this.#answers.get(keyOf({ cluster, application }));
    if (answer === undefined || this.#clock.now() >= answer.until) {
      this.#ask({ cluster, application });
    }
    return answer?.project;
  }

  async settled(): Promise<void> {
    await Promise.all(this.#asking.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.settled();
    await this.#pool.end();
  }

  #ask(ref: { readonly cluster: string; readonly application: string }): void {
    const key = keyOf(ref);
    if (this.#asking.has(key) || this.#asking.size >= ASKING_MAX) return;
    const asked = this.#pool
      .read<Row>(ONE, [ref.cluster, ref.application])
      .then(([row]) => this.#remember(ref, row?.project as ProjectId | undefined))
      // The last answer stands while the server is away; it is asked again in a while.
      .catch(() => this.#remember(ref, this.#answers.get(key)?.project, UNKNOWN_MS))
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, asked);
  }

  #remember(
    ref: { readonly cluster: string; readonly application: string },
    project: ProjectId | undefined,
    forMs = project === undefined ? UNKNOWN_MS : KNOWN_MS,
  ): void {
    const key = keyOf(ref);
    this.#answers.delete(key);
    this.#answers.set(key, { project, until: this.#clock.now() + forMs });
    if (this.#answers.size <= REMEMBERED) return;
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined) this.#answers.delete(oldest);
  }
}

function keyOf({ cluster, application }: { cluster: string; application: string }): string {
  return `${cluster}\n${application}`;
}

/** @throws AppError STORE_UNAVAILABLE or STORE_MISCONFIGURED */
export async function openPostgresProjectLookup(
  config: PostgresConfig,
  { clock }: { readonly clock: Clock },
): Promise<PostgresProjectLookup> {
  const pool = openPostgresPool({ ...config, poolSize: Math.min(config.poolSize, 2) });
  try {
    return await PostgresProjectLookup.open(pool, clock);
  } catch (error) {
    await pool.end();
    throw error;
  }
}
