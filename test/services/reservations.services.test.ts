import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { must } from '../../shared/errors/assert.ts';
import { NO_LIMITS } from '../../shared/rating/evaluate-limits.ts';
import type { Ledger } from '../../shared/stores/sql/open-ledger.ts';
import { openPostgresLedger } from '../../shared/stores/sql/open-postgres-ledger.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { T0 } from '../support/fact-builders.ts';
import {
  aCharge,
  aContainer,
  aHold,
  anApplication,
  aSettlement,
  ETL,
} from '../support/ledger-builders.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { type PostgresqlServer, startPostgresql } from './servers/postgresql.ts';
import { freshSchema, RETRY } from './support/postgres-schema.ts';

const SUBMISSIONS = 1_000;
const ROOM = 10;
const STORES = 4;
/** Longer than any round takes on a busy machine. */
const LEASE_SECONDS = 60;

let server: PostgresqlServer;

before(async () => {
  server = await startPostgresql({ settings: { deadlock_timeout: '200ms' } });
});
after(async () => server?.[Symbol.asyncDispose]());

const grant = (credits: bigint) => ({
  ...{ id: 'g', project: ETL, amount: credits, reason: '', grantedAt: T0 },
});

test('1,000 holds at once from four processes admit exactly 10, while meters charge the same project', async (t) => {
  const config = await freshSchema(server);
  await using resources = new AsyncDisposableStack();
  const ledgers: Ledger[] = [];
  for (let n = 0; n < STORES; n += 1) {
    ledgers.push(resources.use(await openPostgresLedger(config, RETRY)));
  }
  const [first] = ledgers;
  const { grants, ledgerReader, ledgerWriter } = must(first, 'a ledger');
  await grants.grant(grant(1_000n));
  let [over, settlements] = [false, 0];
  const charging = (async () => {
    while (!over) {
      settlements += 1;
      await ledgerWriter.settle(
        aSettlement({
          ...{ cursor: settlements, applications: [anApplication()] },
          charges: [aCharge({ amount: 1n, revision: settlements, digest: `d${settlements}` })],
          containers: [aContainer({ accrued: BigInt(settlements % 5) })],
        }),
      );
      // Fifty in all: ten of 94 fit beside it, and an eleventh never does.
      if (settlements === 50) over = true;
    }
  })();
  const began = performance.now();
  const outcomes = await Promise.all(
    Array.from({ length: SUBMISSIONS }, (_, n) =>
      must(ledgers[n % STORES], 'a ledger').reservations.hold(
        aHold({ id: `r${n}`, maxCost: 94n }),
        NO_LIMITS,
        T0,
      ),
    ),
  );
  const ms = Math.round(performance.now() - began);
  await charging;
  const held = outcomes.filter(({ outcome }) => outcome === 'held').length;
  const refused = outcomes.filter(({ outcome }) => outcome === 'refused').length;
  t.diagnostic(`held ${held}, refused ${refused} in ${ms} ms; ${settlements} settlements beside`);
  assert.deepEqual([held, refused], [ROOM, SUBMISSIONS - ROOM]);
  assert.equal((await ledgerReader.balance(ETL, T0))?.reserved, 940n);
});

test("holds of a team's projects at once from four processes admit what the team has room for", async (t) => {
  const config = await freshSchema(server);
  await using resources = new AsyncDisposableStack();
  const ledgers: Ledger[] = [];
  for (let n = 0; n < STORES; n += 1) {
    ledgers.push(resources.use(await openPostgresLedger(config, RETRY)));
  }
  const { grants, levels } = must(ledgers[0], 'a ledger');
  const projects = Array.from({ length: 7 }, (_, n) => `p${n}` as ProjectId);
  for (const project of projects) {
    await grants.grant({ ...grant(10n ** 9n), id: `g-${project}`, project });
  }
  const shared = { monthlyLimit: undefined, borrowMax: 0n, projects };
  // Two teams of one organisation: their locks are taken in one order.
  const organisation = { ...shared, key: 'organisation/acme', monthlyLimit: 1_000n };
  const above = (n: number) => [
    { ...shared, key: `team/${n % 2}`, projects: projects.filter((_, m) => m % 2 === n % 2) },
    organisation,
  ];
  let over = false;
  const keeping = (async () => {
    while (!over) await levels.keep([...above(0).slice(0, 1), ...above(1)], T0);
  })();
  const outcomes = await Promise.all(
    Array.from({ length: SUBMISSIONS }, (_, n) => {
      const project = must(projects[n % projects.length], 'a project');
      const hold = aHold({ id: `r${n}`, project, maxCost: 100n });
      return must(ledgers[n % STORES], 'a ledger').reservations.hold(
        hold,
        NO_LIMITS,
        T0,
        above(n % projects.length),
      );
    }),
  );
  over = true;
  await keeping;
  const of = (kind: string) => outcomes.filter(({ outcome }) => outcome === kind).length;
  t.diagnostic(`held ${of('held')}, refused ${of('refused-above')}`);
  assert.deepEqual([of('held'), of('refused-above')], [ROOM, SUBMISSIONS - ROOM]);
});

test('settlements and holds of the same reservations meet without losing a unit', async () => {
  const config = await freshSchema(server);
  await using ledger = await openPostgresLedger(config, RETRY);
  await using other = await openPostgresLedger(config, RETRY);
  await ledger.grants.grant(grant(10n ** 9n));
  const tagged = (n: number) =>
    anApplication({ application: `app-${n}`, tags: { 'tollgate.reservation': `r${n}` } });
  const work = Array.from({ length: 40 }, async (_, n) => {
    await other.reservations.hold(aHold({ id: `r${n}`, maxCost: 100n }), NO_LIMITS, T0);
    if (n % 3 === 0) await other.reservations.post({ project: ETL, id: `r${n}` }, T0);
  });
  const settling = (async () => {
    for (let turn = 1; turn <= 10; turn += 1) {
      await ledger.ledgerWriter.settle(
        aSettlement({
          cursor: turn,
          applications: Array.from({ length: 40 }, (_, n) => tagged(n)),
          containers: Array.from({ length: 40 }, (_, n) =>
            aContainer({
              ...{ container: `c${n}`, application: `app-${n}`, accrued: BigInt(turn) },
              state: 'ended',
            }),
          ),
        }),
      );
    }
  })();
  await Promise.all([...work, settling]);
  await ledger.ledgerWriter.settle(
    aSettlement({ cursor: 11, applications: Array.from({ length: 40 }, (_, n) => tagged(n)) }),
  );
  const balance = must(await ledger.ledgerReader.balance(ETL, T0), 'a balance');
  const live = Array.from({ length: 40 }, (_, n) => n).filter((n) => n % 3 !== 0).length;
  assert.equal(balance.reserved, BigInt(live) * 90n, 'each holds what its application has left');
  assert.equal(balance.accrued, 400n);
});

interface Submission {
  readonly id: string;
  readonly status: number;
}

interface Asking {
  readonly urlOf: () => string;
  readonly signal: AbortSignal;
  readonly lost: () => void;
}

const post = (url: string, project: string, id: string, signal: AbortSignal) =>
  fetch(`${url}/v1/projects/${project}/reservations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ id, application: 'nightly', maxCost: '1', leaseSeconds: LEASE_SECONDS },
    }),
    signal,
  });

/** Asks until it is answered, under the same id: nobody knows what became of an answer that is lost. */
async function submit(
  project: string,
  id: string,
  { urlOf, signal, lost }: Asking,
): Promise<Submission> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(5_000)]);
      const response = await post(urlOf(), project, id, limit);
      await response.arrayBuffer();
      const { status } = response;
      if (status === 201 || status === 403) return { id, status };
    } catch {
      signal.throwIfAborted();
    }
    lost();
    await wait(100 + Math.random() * 200);
  }
}

const ROUNDS = ['database', 'api', 'database', 'api', 'database'] as const;

test('exactly 10 of 1,000 are admitted while clients, the API and the database are killed', async (t) => {
  const { process: database } = server;
  if (database === undefined) return t.skip('the server given by URL is not ours to kill');
  const { url, schema } = await freshSchema(server);
  await using folder = await temporaryFolder();
  const projects = ROUNDS.map((_, n) => ({
    ...{ id: `p${n}`, grants: [{ id: `g${n}`, credits: `${ROOM}.5` }] },
  }));
  const stores = { ledger: { url, schema } };
  const config = { stores, metrics: { graphite: [] }, metering: { projects } };
  let tollgate = await RunningTollgate.start(folder.path, config);
  await using resources = new AsyncDisposableStack();
  resources.defer(() => tollgate[Symbol.asyncDispose]());
  const stop = new AbortController();
  resources.defer(() => stop.abort());
  let lost = 0;
  const asking: Asking = {
    ...{ urlOf: () => tollgate.url, signal: stop.signal },
    lost: () => {
      lost += 1;
    },
  };
  const balance = (project: string) =>
    tollgate.get<{ reserved: string; balance: string }>(`/v1/projects/${project}/balance`);
  for (const [round, victim] of ROUNDS.entries()) {
    const project = `p${round}`;
    await tollgate.until(
      () => balance(project),
      ({ reserved }) => reserved === '0',
    );
    const before = lost;
    const submissions = Array.from({ length: SUBMISSIONS }, async (_, n) => {
      // A client that is killed between the phases, and whose successor brings the same id.
      const dies = n % 10 === 0 ? AbortSignal.timeout(Math.ceil(Math.random() * 50)) : undefined;
      if (dies) await post(tollgate.url, project, `r${n}`, dies).catch(() => undefined);
      return await submit(project, `r${n}`, asking);
    });
    // In the middle of the burst, at another point in each round.
    await wait(20 + round * 25);
    if (victim === 'database') {
      await database.kill();
      await database.start();
    } else {
      await tollgate.kill();
      tollgate = await RunningTollgate.start(folder.path, config);
    }
    const answers = await Promise.all(submissions);
    const admitted = answers.filter(({ status }) => status === 201);
    const { reservations } = await tollgate.get<{ reservations: { id: string }[] }>(
      `/v1/projects/${project}/reservations?limit=1000`,
    );
    t.diagnostic(
      `${victim} killed: ${lost - before} answers lost, ${admitted.length} admitted, ${reservations.length} held`,
    );
    assert.ok(lost > before, 'the kill came in the middle');
    assert.equal(admitted.length, ROOM);
    const told = new Set(admitted.map(({ id }) => id));
    assert.ok(
      reservations.length === ROOM && reservations.every(({ id }) => told.has(id)),
      'none is held that nobody was told of',
    );
  }
  // Nobody is left to end them: their leases do, without anybody's help.
  for (const { id } of projects.slice(0, 2)) {
    const free = ({ reserved }: { readonly reserved: string }) => reserved === '0';
    await tollgate.until(() => balance(id), free, (LEASE_SECONDS + 10) * 1_000);
    assert.equal((await balance(id)).balance, `${ROOM}.5`);
  }
});
