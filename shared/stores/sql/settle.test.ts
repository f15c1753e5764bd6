import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import fc from 'fast-check';
import { applicationFact, containerFact, T0 } from '../../../test/support/fact-builders.ts';
import { journalBatch } from '../../../test/support/journal-batch.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  ETL,
  LARGE,
  ML,
} from '../../../test/support/ledger-builders.ts';
import type { ProjectId } from '../../values/project-id.ts';
import { containerKey } from '../journal.ts';
import type { ContainerState, Settlement } from '../ledger-writer.ts';
import { type Ledger, openLedger } from './open-ledger.ts';

const EVER = { from: 0, until: 9e14 };
const CHILD = join(import.meta.dirname, '../../../test/support/ledger-writer-child.ts');

const memory = (): Promise<Ledger> => openLedger({ file: ':memory:' });
const ref = (n: number) => ({ cluster: 'yarn-1', application: `app-${n}` });
const projectOf = (n: number): ProjectId => (n % 2 === 0 ? ETL : ML);

const container = fc
  .record({
    container: fc.nat(4).map((n) => `c${n}`),
    application: fc.nat(2).map((n) => `app-${n}`),
    running: fc.boolean(),
    accrued: fc.bigInt({ min: 0n, max: 2n * LARGE }),
    perHour: fc.bigInt({ min: 0n, max: LARGE }),
    cores: fc.nat(9),
    inferred: fc.boolean(),
  })
  .map(({ running, inferred, cores, ...rest }) =>
    aContainer({
      ...rest,
      state: running ? 'running' : 'ended',
      coverage: running ? 'running' : inferred ? 'inferred' : 'exact',
      resources: { millicores: cores * 1_000, memoryMib: cores, gpus: cores % 2 },
    }),
  );
const charge = fc
  .record({
    digest: fc.nat(5),
    app: fc.nat(2),
    revision: fc.nat(2),
    amount: fc.bigInt(-LARGE, LARGE),
  })
  .map(({ digest, app, revision, amount }) => {
    // The amount follows from the identity, as it does for the meter.
    const project = projectOf(app + digest);
    const application = `app-${app}`;
    return aCharge({
      digest: `d${digest}-${app}-${amount}`,
      revision,
      project,
      application,
      amount,
      coverage: digest % 2 === 0 ? 'exact' : 'inferred',
    });
  });
const settlement = fc.record({
  charges: fc.array(charge, { maxLength: 6 }),
  containers: fc.array(container, { maxLength: 6 }),
  projects: fc.tuple(fc.nat(1), fc.nat(1), fc.nat(1)),
});

/** What the rows of one connection add up to, by project. */
async function assertSums(
  ledger: Ledger,
  states: Map<string, ContainerState>,
  owner: Map<string, ProjectId>,
) {
  for (const project of [ETL, ML]) {
    const rows = await ledger.ledgerReader.charges(project, EVER, { limit: 10_000 });
    const mine = [...states.values()].filter((one) => owner.get(one.application) === project);
    const sum = (of: (one: ContainerState) => bigint): bigint =>
      mine.reduce((total, one) => total + of(one), 0n);
    const balance = await ledger.ledgerReader.balance(project);
    assert.deepEqual(
      [balance?.charged ?? 0n, balance?.accrued ?? 0n, balance?.perHour ?? 0n],
      [
        rows.reduce((total, { amount }) => total + amount, 0n),
        sum(({ accrued }) => accrued),
        sum(({ perHour }) => perHour),
      ],
    );
    const inferred = rows.filter(({ coverage }) => coverage === 'inferred');
    const inferredSum = inferred.reduce((total, { amount }) => total + amount, 0n);
    assert.equal(balance?.inferred ?? 0n, inferredSum);
    const quota = await ledger.ledgerReader.quota(project, 'default', T0);
    assert.deepEqual(quota && { ...quota.balance, inferred: inferredSum }, balance);
  }
  for (const [application, project] of owner) {
    const view = await ledger.ledgerReader.application(project, 'yarn-1', application);
    const mine = [...states.values()].filter((one) => one.application === application);
    const running = mine.filter(({ state }) => state === 'running');
    assert.deepEqual(
      [view?.containersTotal, view?.containersRunning, view?.accrued, view?.millicores],
      [
        mine.length,
        running.length,
        mine.reduce((total, { accrued }) => total + accrued, 0n),
        running.reduce((total, { resources }) => total + resources.millicores, 0),
      ],
    );
  }
}

test('balances and applications are the sums of their rows, whatever is settled and repeated', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(settlement, { minLength: 1, maxLength: 5 }), async (given) => {
      await using ledger = await memory();
      const states = new Map<string, ContainerState>();
      const owner = new Map<string, ProjectId>();
      for (const [i, { charges, containers, projects }] of given.entries()) {
        const applications = projects.map((n, app) =>
          anApplication({ ...ref(app), project: projectOf(n) }),
        );
        for (const one of applications) owner.set(one.application, one.project);
        for (const one of containers) states.set(containerKey(one), one);
        const whole: Settlement = aSettlement({ charges, containers, applications, cursor: i });
        await ledger.ledgerWriter.settle(whole);
        await assertSums(ledger, states, owner);
        await ledger.ledgerWriter.settle(whole);
      }
      await assertSums(ledger, states, owner);
    }),
    { numRuns: 40 },
  );
});

test('a charge named twice in one settlement counts once; of a container the last state stands', async () => {
  await using ledger = await memory();
  await ledger.ledgerWriter.settle(
    aSettlement({
      charges: [aCharge({ amount: 5n }), aCharge({ amount: 5n })],
      containers: [aContainer({ accrued: 1n }), aContainer({ accrued: 2n })],
      applications: [anApplication()],
    }),
  );
  const balance = await ledger.ledgerReader.balance(ETL);
  assert.deepEqual([balance?.charged, balance?.accrued], [5n, 2n]);
  const view = await ledger.ledgerReader.application(ETL, 'yarn-1', 'app-1');
  assert.deepEqual([view?.charged, view?.accrued, view?.containersTotal], [5n, 2n, 1]);
});

test('a container that moves to another application leaves nothing behind in the first', async () => {
  await using ledger = await memory();
  const applications = [anApplication(ref(1)), anApplication({ ...ref(2), project: ML })];
  await ledger.ledgerWriter.settle(
    aSettlement({ containers: [aContainer({ application: 'app-1' })], applications }),
  );
  await ledger.ledgerWriter.settle(
    aSettlement({ containers: [aContainer({ application: 'app-2' })] }),
  );
  assert.deepEqual(
    [
      (await ledger.ledgerReader.balance(ETL))?.accrued,
      (await ledger.ledgerReader.balance(ML))?.accrued,
      (await ledger.ledgerReader.application(ETL, 'yarn-1', 'app-1'))?.containersTotal,
    ],
    [0n, 70n, 0],
  );
});

test('more rows than one statement takes are one settlement', async () => {
  await using ledger = await memory();
  const many = Array.from({ length: 450 }, (_, i) => i);
  await ledger.ledgerWriter.settle(
    aSettlement({
      charges: many.map((i) => aCharge({ digest: `d${i}`, amount: 1n, tags: `{"i":"${i}"}` })),
      containers: many.map((i) =>
        aContainer({ container: `c${i}`, application: `app-${i % 150}` }),
      ),
      applications: many.slice(0, 150).map((i) => anApplication(ref(i))),
    }),
  );
  const balance = await ledger.ledgerReader.balance(ETL);
  assert.deepEqual([balance?.charged, balance?.accrued], [450n, 450n * 70n]);
  const rows = await ledger.ledgerReader.charges(ETL, EVER, { limit: 1_000 });
  assert.equal(new Set(rows.map(({ tags }) => tags)).size, 450);
  assert.equal((await ledger.ledgerReader.runningCounts()).get(ETL), 150);
});

/** Runs a ledger of its own until it has acknowledged `until`; gives the last that it did. */
async function run(command: readonly string[], until: number): Promise<number> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'full') break;
    acknowledged = Number(line);
    if (acknowledged >= until) child.kill('SIGKILL');
  }
  await exited;
  return acknowledged;
}

async function assertWhole(file: string, acknowledged: number): Promise<void> {
  await using ledger = await openLedger({ file, readOnly: true });
  const cursor = await ledger.ledgerWriter.cursor(0);
  assert.ok(cursor >= acknowledged && cursor <= acknowledged + 1, `${cursor}, ${acknowledged}`);
  const rows = await ledger.ledgerReader.charges(ETL, EVER, { limit: 10_000 });
  const balance = await ledger.ledgerReader.balance(ETL);
  const n = BigInt(cursor);
  assert.deepEqual(
    [rows.length, balance?.charged, balance?.accrued, balance?.asOf],
    [cursor, n * LARGE, (n * (n + 1n)) / 2n, T0 + cursor],
  );
  const facts = await ledger.journalReader.factsAfter(0, 10_000);
  assert.ok(facts.length === cursor || facts.length === cursor + 1, `${facts.length} facts`);
  assert.deepEqual(await ledger.journalWriter.checkpoints('file'), [
    { source: 'file', position: `${facts.length}` },
  ]);
}

test('a ledger killed at any point has each settlement whole, and its sums right', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'settle-kill-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'ledger.db');
  for (const until of [1, 17, 18, 60]) {
    await assertWhole(file, await run([process.execPath, CHILD, file], until));
  }
});

test('a disk that fills up stops the ledger at a whole settlement, and room lets it go on', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'settle-full-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'ledger.db');
  // The largest file a process may write is a disk that is full; dash counts blocks of 512 bytes.
  const limited = ['sh', '-c', 'ulimit -f 3000; exec "$0" "$@"', process.execPath, CHILD, file];
  const acknowledged = await run(limited, Number.POSITIVE_INFINITY);
  assert.ok(acknowledged > 0);
  await assertWhole(file, acknowledged);
  const more = acknowledged + 5;
  await assertWhole(file, await run([process.execPath, CHILD, file], more));
});

test('a name with half a surrogate pair is one name in facts, states and sums', async () => {
  await using ledger = await memory();
  const name = 'c\ud800';
  const facts = [
    containerFact('container-started', T0, { container: name, application: 'a\udfff' }),
    applicationFact('application-seen', T0, { application: 'a\udfff' }),
  ];
  await ledger.journalWriter.record(journalBatch({ facts }), T0);
  const [first, second] = await ledger.journalReader.factsAfter(0, 9);
  const fact = first?.fact;
  assert.ok(fact?.kind === 'container-started' && second?.fact.kind === 'application-seen');
  const known = await ledger.journalReader.containers([fact]);
  assert.equal(known.get(containerKey(fact))?.facts.length, 1);
  const states = {
    containers: [aContainer({ container: fact.container, application: fact.application })],
    applications: [anApplication({ application: second.fact.application })],
  };
  await ledger.ledgerWriter.settle(aSettlement(states));
  await ledger.ledgerWriter.settle(aSettlement(states));
  assert.equal((await ledger.ledgerReader.balance(ETL))?.accrued, 70n);
});
