import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../runtime/clock.ts';
import type { Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { ProjectLookup } from '../project-lookup.ts';
import { LEDGER_SCHEMA } from './ledger-schema.ts';
import { openSqlite } from './open-sqlite.ts';

/** An answer is believed for this long: a later, better attribution moves an application. */
const KNOWN_MS = 60_000;
const UNKNOWN_MS = 2_000;
const REMEMBERED = 20_000;

/** Looks into the ledger file, seldom: answers are remembered, and so is that there is none. */
export class LedgerProjectLookup implements ProjectLookup {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #answers = new Map<string, { project: ProjectId | undefined; until: Instant }>();
  readonly #read: (cluster: string, application: string) => ProjectId | undefined;

  constructor(database: DatabaseSync, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    const statement = database.prepare(
      'SELECT project FROM application WHERE cluster = ? AND application = ?',
    );
    this.#read = (cluster, application) =>
      statement.get(cluster, application)?.['project'] as ProjectId | undefined;
  }

  projectOf(cluster: string, application: string): ProjectId | undefined {
    if (application === '') return undefined;
    const key = `${cluster}\n${application}`;
    const now = this.#clock.now();
    const answer = this.#answers.get(key);
    if (answer !== undefined && now < answer.until) return answer.project;
    const project = this.#read(cluster, application);
    const until = now + (project === undefined ? UNKNOWN_MS : KNOWN_MS);
    this.#answers.delete(key);
    this.#answers.set(key, { project, until });
    if (this.#answers.size > REMEMBERED) {
      const [oldest] = this.#answers.keys();
      if (oldest !== undefined) this.#answers.delete(oldest);
    }
    return project;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
  }
}

/** @param file of the ledger, which a writer has made */
export function openLedgerProjectLookup(file: string, clock: Clock): ProjectLookup {
  const database = openSqlite({ file, schema: LEDGER_SCHEMA, readOnly: true });
  return new LedgerProjectLookup(database, clock);
}
