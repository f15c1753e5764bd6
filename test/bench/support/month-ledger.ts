import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { planCharges } from '../../../services/metering/ledger/plan-charges.ts';
import type { Charge, PriceEpoch } from '../../../shared/contracts/charge.ts';
import type { JournalFact } from '../../../shared/contracts/container-fact.ts';
import { containerLife } from '../../../shared/intervals/container-life.ts';
import { rateLife } from '../../../shared/rating/rate-life.ts';
import { Tariff } from '../../../shared/rating/tariff.ts';
import { openLedger } from '../../../shared/stores/sql/open-ledger.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { DEFAULT_RATE_CARD } from '../../../shared/values/rate-card.ts';
import { applicationFact, containerFact, loadFact } from '../../support/fact-builders.ts';

export const MONTH_START = Date.UTC(2026, 9, 1);
export const MONTH_END = Date.UTC(2026, 10, 1);
const CONTAINERS_AN_APPLICATION = 20;
const PROJECTS = 40;
const PART = 5_000;
const LOAD_EVERY_MS = 10_000;
const LEASE_MS = 10 * MINUTE_MS;
const TARIFF = new Tariff([{ card: DEFAULT_RATE_CARD, validFrom: 0 }]);

/** A price that changes each three hours. */
const EPOCHS: readonly PriceEpoch[] = Array.from({ length: 31 * 8 }, (_, i) => ({
  id: `default@${i}`,
  pool: 'default',
  step: 1_000 + (i % 5) * 50,
  start: MONTH_START + i * 3 * HOUR_MS,
  end: undefined,
  ruleVersion: 'bench',
  reason: 'load',
  inputs: '{}',
}));

const projectOf = (application: number): ProjectId => `p${application % PROJECTS}` as ProjectId;
const applicationName = (n: number): string =>
  `application_1790000000000_${`${n}`.padStart(6, '0')}`;
const containerName = (n: number): string =>
  `container_1790000000000_${`${Math.floor(n / CONTAINERS_AN_APPLICATION)}`.padStart(6, '0')}_01_${`${n % CONTAINERS_AN_APPLICATION}`.padStart(6, '0')}`;

interface Statements {
  readonly fact: StatementSync;
  readonly container: StatementSync;
  readonly application: StatementSync;
  readonly charge: StatementSync;
  readonly balance: StatementSync;
}

function statements(database: DatabaseSync): Statements {
  const insert = (table: string, columns: string): StatementSync => {
    const marks = columns.split(',').map(() => '?');
    return database.prepare(`INSERT INTO ${table} (${columns}) VALUES (${marks.join(',')})`);
  };
  return {
    fact: insert('fact', 'cluster,id,topic,subject,at,stored_at,body'),
    container: insert(
      'container',
      'cluster,container,application,state,start,"end",coverage,witnessed_until,millicores,memory_mib,gpus,accrued,per_hour,charged_until',
    ),
    application: insert(
      'application',
      'cluster,application,project,name,user,queue,attempts,tags,url,seen,ended,state,start,running,total,inferred,millicores,memory_mib,gpus,charged,accrued,per_hour',
    ),
    charge: insert(
      'charge',
      'id,type,project,cluster,application,container,role,hour,step,container_ms,millicore_ms,mib_ms,gpu_ms,amount,rate_card,rule_version,coverage,tag_set,stored_at',
    ),
    balance: database.prepare(
      `INSERT INTO balance (project, granted, charged, accrued, per_hour, unlimited)
       VALUES (?, '0', ?, '0', '0', 1)
       ON CONFLICT (project) DO UPDATE SET charged = ?`,
    ),
  };
}

function writeFact({ fact }: Statements, topic: string, subject: string, one: JournalFact): void {
  fact.run(one.cluster, one.id, topic, subject, one.at, one.at + 500, JSON.stringify(one));
}

function writeCharge({ charge }: Statements, row: Charge): void {
  const { quantity } = row;
  charge.run(
    ...[row.id, row.type, row.project, row.cluster, row.application, row.container, row.role],
    ...[row.hour, row.step, quantity.containerMs, quantity.millicoreMs, quantity.mibMs],
    ...[quantity.gpuMs, row.amount, row.rateCard, row.ruleVersion, row.coverage, 1, row.storedAt],
  );
}

/** One container: two facts, its state, and what the meter charges for it. */
function writeContainer(out: Statements, n: number, of: number): bigint {
  const applicationNumber = Math.floor(n / CONTAINERS_AN_APPLICATION);
  const [application, container] = [applicationName(applicationNumber), containerName(n)];
  const begin = Math.floor((n / of) * (MONTH_END - MONTH_START - 2 * HOUR_MS));
  const start = MONTH_START + begin + (n % CONTAINERS_AN_APPLICATION) * 1_733;
  const end = start + (3 + ((n * 7) % 60)) * MINUTE_MS + (n % 997);
  const resources = {
    millicores: 1_000 * (1 + (n % 4)),
    memoryMib: 4_096 + 512 * (n % 9),
    gpus: 0,
  };
  const ref = { application, container };
  const facts = [
    containerFact('container-started', start, { ...ref, resources }),
    containerFact('container-stopped', end, ref),
  ];
  for (const fact of facts) writeFact(out, 'container', container, fact);
  const witnessed = { facts, evidence: undefined, learnedAt: end, applicationEnd: () => undefined };
  const { life } = containerLife(witnessed, MONTH_END + DAY_MS, LEASE_MS);
  if (life === undefined) throw new Error('a container with a start has a life');
  const lines = rateLife(
    life,
    { start: 0, end },
    {
      ...{ tariff: TARIFF, epochs: EPOCHS, project: projectOf(applicationNumber), percent: 100 },
      over: true,
    },
  );
  const payer = {
    ...{ cluster: 'yarn-1', ...ref, project: projectOf(applicationNumber), percent: 100 },
    ...{ role: 'executor', tags: '{"stage":"prod"}' },
  };
  const charges = planCharges(payer, lines, [], { storedAt: end + 2_000, closedUntil: undefined });
  for (const row of charges) writeCharge(out, row);
  out.container.run(
    ...['yarn-1', container, application, 'ended', start, end, 'exact', end],
    ...[resources.millicores, resources.memoryMib, 0, 0, 0, end],
  );
  return charges.reduce((sum, { amount }) => sum + amount, 0n);
}

function writeApplication(out: Statements, n: number, start: number, charged: bigint): void {
  const [application, project] = [applicationName(n), projectOf(n)];
  const seen = applicationFact('application-seen', start, { application, project });
  writeFact(out, 'application', application, seen);
  out.application.run(
    ...['yarn-1', application, project, 'nightly etl', 'alice', 'root.etl', '["1"]'],
    ...['{"stage":"prod"}', '', start, null, 'ended', start, 0, CONTAINERS_AN_APPLICATION],
    ...[0, 0, 0, 0, `${charged}`, '0', '0'],
  );
}

function writePart(out: Statements, from: number, of: number): void {
  let charged = 0n;
  for (let n = from; n < Math.min(of, from + PART); n += 1) {
    charged += writeContainer(out, n, of);
    if (n % CONTAINERS_AN_APPLICATION !== CONTAINERS_AN_APPLICATION - 1) continue;
    const start = MONTH_START + Math.floor((n / of) * (MONTH_END - MONTH_START - 2 * HOUR_MS));
    writeApplication(out, Math.floor(n / CONTAINERS_AN_APPLICATION), start, charged);
    charged = 0n;
  }
}

/** A month of load, one cluster, a day and night in it. */
function writeLoad(database: DatabaseSync, out: Statements): void {
  database.exec('BEGIN');
  for (let at = MONTH_START; at < MONTH_END; at += LOAD_EVERY_MS) {
    const share = 0.6 + 0.5 * Math.sin((at / DAY_MS) * 2 * Math.PI);
    writeFact(out, 'load', '', loadFact(at, share));
  }
  database.exec('COMMIT');
}

function count(database: DatabaseSync, table: string): number {
  return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
}

/**
 * A ledger's file with a month of containers of one interval each, charged as the meter charges
 * them. What is there already stays: it goes on where it stopped.
 *
 * @returns rows of the ledger
 */
export async function writeMonth(file: string, containers: number): Promise<number> {
  {
    await using ledger = await openLedger({ file });
    for (const epoch of EPOCHS)
      await ledger.priceWriter.announce(epoch, epoch.start).catch(() => {});
  }
  const database = new DatabaseSync(file);
  try {
    database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -200000');
    database.exec(`INSERT OR IGNORE INTO tag_set VALUES (1, '{"stage":"prod"}')`);
    const out = statements(database);
    if (count(database, "fact WHERE topic = 'load'") === 0) writeLoad(database, out);
    for (let from = count(database, 'container'); from < containers; from += PART) {
      database.exec('BEGIN');
      writePart(out, from, containers);
      database.exec('COMMIT');
    }
    const sums = database.prepare(
      'SELECT project, sum(amount) AS charged FROM charge GROUP BY project',
    );
    sums.setReadBigInts(true);
    for (const { project, charged } of sums.all()) {
      out.balance.run(String(project), String(charged), String(charged));
    }
    return count(database, 'charge');
  } finally {
    database.close();
  }
}
