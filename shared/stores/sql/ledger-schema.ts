import type { ColumnType, Generated } from 'kysely';
import type { GrantTables } from './grant-schema.ts';
import type { SqliteSchema } from './open-sqlite.ts';
import type { QuoteRow } from './quote-schema.ts';
import { SQLITE_MIGRATIONS } from './sqlite-migrations.ts';

/** Read as bigint from both engines, written as either. */
type Int = ColumnType<bigint | number, bigint | number, bigint | number>;
type NullableInt = ColumnType<bigint | number | null, bigint | number | null>;
/** An exact decimal integer in text: a total has no bound, and no engine's integer fits it. */
type Total = string;

/** Tables of the journal and the ledger; the same on SQLite and PostgreSQL. */
export interface LedgerTables extends GrantTables {
  /** One row a shard. */
  shard: { shard: number; cursor: Int; as_of: Int };
  fact: {
    seq: Generated<bigint | number>;
    /** PostgreSQL's alone: the UTC month of `at`, by which it is partitioned. */
    month: ColumnType<number, number | undefined, never>;
    cluster: string;
    id: string;
    topic: string;
    subject: string;
    at: Int;
    stored_at: Int;
    body: string;
    /** The first fact's of its container decides, or its application's. */
    shard: Generated<number>;
  };
  evidence: { cluster: string; container: string; until: Int; stored_at: Int };
  activity: {
    cluster: string;
    application: string;
    attempt: string;
    at: Int;
    slot_ms: Int;
    useful_ms: Int;
    wasted_ms: Int;
    idle_ms: Int;
    tail_ms: Int;
    start_up_ms: Int;
  };
  checkpoint: { source: string; position: string };
  price_epoch: {
    pool: string;
    start: Int;
    id: string;
    step: Int;
    rule_version: string;
    reason: string;
    inputs: string;
    stored_at: Int;
  };
  price_evaluation: {
    pool: string;
    at: Int;
    rule_version: string;
    inputs: string;
    stored_at: Int;
  };
  price_freeze: {
    id: string;
    pool: string;
    frozen: Int;
    reason: string;
    ordered_by: string;
    ordered_at: Int;
  };
  tag_set: { id: Generated<bigint | number>; body: string };
  charge: {
    id: string;
    type: string;
    project: string;
    cluster: string;
    application: string;
    container: string;
    role: string;
    hour: Int;
    step: Int;
    container_ms: Int;
    millicore_ms: Int;
    mib_ms: Int;
    gpu_ms: Int;
    amount: Int;
    rate_card: string;
    rule_version: string;
    coverage: string;
    tag_set: Int;
    stored_at: Int;
    outcome: Generated<string>;
    /** NULL: usage. */
    kind: string | null;
    /** NULL: the month of its hour. */
    booked: string | null;
  };
  rate_card: { id: string; body: string; fixed_at: Int };
  period_close: { month: string; closed_at: Int; closed_by: string };
  lease: { name: string; holder: string; token: Int; until: Int };
  stop_order: {
    id: string;
    cluster: string;
    application: string;
    within_ms: Int;
    force: Int;
    ordered_by: string;
    ordered_at: Int;
    state: string;
    clean: NullableInt;
    message: string;
    updated_at: Int;
  };
  quote: QuoteRow;
  credit_grant: {
    id: string;
    project: string;
    amount: Int;
    reason: string;
    granted_at: Int;
    /** GrantTerms as canonical JSON; null for what holds at once and for ever. */
    terms: ColumnType<string | null, string | null | undefined, never>;
  };
  balance: {
    project: string;
    granted: Total;
    charged: Total;
    accrued: Total;
    per_hour: Total;
    unlimited: Int;
    /** The part of `charged` that is inferred. */
    inferred: Generated<Total>;
    /** Of open reservations, those that have run out and nobody swept yet included. */
    reserved: Generated<Total>;
    reserved_millicores: Generated<bigint | number>;
    /** Of running containers. */
    millicores: Generated<bigint | number>;
    /** What was measured, as formatReadings prints it. */
    readings: Generated<string>;
    /** When its grants must be looked at again; null while none has terms. */
    grants_due: ColumnType<bigint | number | null, number | null | undefined, number | null>;
    /** When they were looked at last, by the latest clock of those who do. */
    grants_kept: Generated<bigint | number>;
    /** What will be granted, and when, if nothing more is charged. */
    turns: Generated<string>;
  };
  reservation: {
    project: string;
    id: string;
    application: string;
    /** What the client asked for, canonical JSON. */
    body: string;
    state: string;
    held: Int;
    millicores: Int;
    /** Charged and accrued of its applications. */
    spent: Generated<Total>;
    running_millicores: Generated<bigint | number>;
    /** What it takes from the balance: held − spent, at least 0; 0 once it isn't held. */
    pending: Int;
    pending_millicores: Int;
    created_at: Int;
    expires_at: Int;
    resolved_at: NullableInt;
  };
  /** The applications that run under a reservation. */
  reservation_application: {
    cluster: string;
    application: string;
    project: string;
    reservation: string;
    /** What the application had cost before. */
    spent_before: Total;
  };
  usage_reading: {
    project: string;
    kind: string;
    part: string;
    used: Total;
    as_of: Int;
  };
  container: {
    cluster: string;
    container: string;
    application: string;
    state: string;
    start: Int;
    end: Int;
    coverage: string;
    witnessed_until: Int;
    millicores: Int;
    memory_mib: Int;
    gpus: Int;
    accrued: Int;
    per_hour: Int;
    charged_until: NullableInt;
    next_at: NullableInt;
    shard: Generated<number>;
    attempt: Generated<string>;
    outcome: Generated<string>;
  };
  application: {
    cluster: string;
    application: string;
    project: string;
    name: string;
    user: string;
    queue: string;
    attempts: string;
    tags: string;
    url: string;
    seen: Int;
    ended: NullableInt;
    state: string;
    start: Int;
    running: Int;
    total: Int;
    inferred: Int;
    millicores: Int;
    memory_mib: Int;
    gpus: Int;
    charged: Total;
    accrued: Total;
    per_hour: Total;
    restated: Generated<bigint | number>;
    /** The part of `charged` that is inferred. */
    inferred_charged: Generated<Total>;
  };
  anomaly: {
    cluster: string;
    /** Whose anomalies are replaced together: a container's, or an application's own. */
    topic: string;
    subject: string;
    anomaly: string;
    fact_id: string;
    application: string;
    project: string;
    at: Int;
    detail: string;
  };
  clock_pair: {
    cluster: string;
    container: string;
    witness: string;
    reference: string;
    host: string;
    at: Int;
    start_ms: NullableInt;
    stop_ms: NullableInt;
  };
}

export const LEDGER_SCHEMA: SqliteSchema = {
  name: 'ledger',
  // "TGLe"
  applicationId: 0x54474c65,
  migrations: SQLITE_MIGRATIONS,
};
