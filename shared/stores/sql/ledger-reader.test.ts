import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { T0 } from '../../../test/support/fact-builders.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  ETL,
  LARGE,
  ML,
} from '../../../test/support/ledger-builders.ts';
import type { Charge } from '../../contracts/charge.ts';
import { HOUR_MS } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { LedgerReader } from '../ledger-reader.ts';
import { type Ledger, openLedger } from './open-ledger.ts';

const memory = (): Promise<Ledger> => openLedger({ file: ':memory:' });

async function allCharges(
  reader: LedgerReader,
  window: { from: number; until: number },
  limit: number,
): Promise<Charge[]> {
  const found: Charge[] = [];
  for (;;) {
    const after = found.at(-1)?.id;
    const page = await reader.charges(ETL, window, {
      limit,
      ...(after === undefined ? {} : { after }),
    });
    found.push(...page);
    assert.ok(found.length <= 1_000, 'pages never end');
    if (page.length < limit) return found;
  }
}

test('pages of charges of any size hold each row of the window once, in order of id', async () => {
  const row = fc.record({
    hour: fc.nat(3).map((n) => T0 + n * HOUR_MS),
    step: fc.constantFrom(1_000, 1_150, 2_000),
    digest: fc.nat(3).map((n) => `d${n}`),
    revision: fc.nat(11),
  });
  const bounds = fc.tuple(fc.nat(4), fc.nat(4), fc.integer({ min: 1, max: 7 }));
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 30 }), bounds, async (rows, [a, b, limit]) => {
      await using ledger = await memory();
      const charges = rows.map((one) => aCharge({ ...one, amount: 1n }));
      const foreign = rows.map((one) => aCharge({ ...one, digest: 'e', project: ML, amount: 1n }));
      await ledger.ledgerWriter.settle(
        aSettlement({ charges: [...foreign, ...charges], applications: [anApplication()] }),
      );
      const window = { from: T0 + a * HOUR_MS, until: T0 + b * HOUR_MS };
      const wanted = new Map(
        charges
          .filter(({ hour }) => hour >= window.from && hour < window.until)
          .map(({ id, hour }) => [id, hour]),
      );
      const found = await allCharges(ledger.ledgerReader, window, limit);
      assert.deepEqual(
        found.map(({ id }) => id),
        [...wanted.keys()].sort(),
      );
    }),
    { numRuns: 50 },
  );
});

test('paging goes on behind an id that is not in the window, or nowhere', async () => {
  await using ledger = await memory();
  const rows = [0, 1, 2].map((n) => aCharge({ hour: T0 + n * HOUR_MS, digest: `d${n}` }));
  await ledger.ledgerWriter.settle(aSettlement({ charges: rows, applications: [anApplication()] }));
  const window = { from: T0 + HOUR_MS, until: T0 + 9 * HOUR_MS };
  const after = async (id: string): Promise<string[]> =>
    (await ledger.ledgerReader.charges(ETL, window, { limit: 9, after: id })).map((one) => one.id);
  const [first = '', second = '', third = ''] = rows.map(({ id }) => id);
  assert.deepEqual(await after(first), [second, third]);
  assert.deepEqual(await after(`${second}x`), [third]);
  assert.deepEqual(await after(third), []);
});

test('a charge comes back as it was written, amounts beyond 2^53 and hostile names included', async () => {
  await using ledger = await memory();
  const hostile = `'; DROP TABLE charge; -- % \0 __proto__`;
  const charge = aCharge({
    container: hostile,
    role: hostile,
    rateCard: hostile,
    ruleVersion: hostile,
    tags: JSON.stringify({ [hostile]: hostile }),
    amount: -(2n ** 63n),
    quantity: { containerMs: 2n ** 63n - 1n, millicoreMs: LARGE, mibMs: 0n, gpuMs: -LARGE },
    type: 'RETRACTION',
    coverage: 'inferred',
  });
  await ledger.ledgerWriter.settle(
    aSettlement({ charges: [charge], applications: [anApplication()] }),
  );
  assert.deepEqual(await ledger.ledgerReader.charges(ETL, { from: 0, until: 9e14 }, { limit: 9 }), [
    charge,
  ]);
});

test('pages of applications of any size and state hold each once, newest start first', async () => {
  const app = fc.record({
    start: fc.nat(3).map((n) => T0 + n),
    cluster: fc.constantFrom('a', 'b', "c'%"),
    ended: fc.boolean(),
    name: fc.nat(9).map((n) => `app-${n}`),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(app, { maxLength: 20 }),
      fc.integer({ min: 1, max: 6 }),
      async (given, limit) => {
        await using ledger = await memory();
        const unique = new Map(given.map((one) => [`${one.cluster} ${one.name}`, one]));
        const applications = [...unique.values()].map(({ start, cluster, ended, name }) =>
          anApplication({ start, cluster, application: name, ended: ended ? T0 + 9 : undefined }),
        );
        await ledger.ledgerWriter.settle(aSettlement({ applications }));
        for (const state of [undefined, 'running', 'ended'] as const) {
          const found: string[] = [];
          let cursor: string | undefined;
          do {
            const page = await ledger.ledgerReader.applications(ETL, {
              limit,
              ...(state === undefined ? {} : { state }),
              ...(cursor === undefined ? {} : { cursor }),
            });
            found.push(
              ...page.applications.map((one) => `${-one.start} ${one.cluster} ${one.application}`),
            );
            cursor = page.cursor;
          } while (cursor !== undefined);
          const wanted = [...unique.values()]
            .filter(({ ended }) => state === undefined || ended === (state === 'ended'))
            .map((one) => [-one.start, `${one.cluster} ${one.name}`] as const)
            .sort(([a, x], [b, y]) => a - b || (x < y ? -1 : 1))
            .map(([start, text]) => `${start} ${text}`);
          assert.deepEqual(found, wanted);
        }
      },
    ),
    { numRuns: 30 },
  );
});

test('a cursor that was made up is refused, and one of another project shows nothing of it', async () => {
  await using ledger = await memory();
  const applications = [1, 2, 3].map((n) =>
    anApplication({ application: `app-${n}`, start: T0 + n, project: n === 3 ? ML : ETL }),
  );
  await ledger.ledgerWriter.settle(aSettlement({ applications }));
  const encode = (value: unknown): string =>
    Buffer.from(JSON.stringify(value)).toString('base64url');
  for (const cursor of [
    '',
    '!',
    encode({}),
    encode([1, 'a']),
    encode(['1', 'a', 'b']),
    encode([1.5, 'a', 'b']),
  ]) {
    await assert.rejects(ledger.ledgerReader.applications(ETL, { limit: 9, cursor }), {
      code: 'BAD_REQUEST',
    });
  }
  const { cursor = '' } = await ledger.ledgerReader.applications(ETL, { limit: 1 });
  const page = await ledger.ledgerReader.applications(ML, { limit: 9, cursor });
  assert.deepEqual(page.applications, []);
});

test('what is of another project or cluster is not there', async () => {
  await using ledger = await memory();
  await ledger.ledgerWriter.settle(
    aSettlement({
      charges: [aCharge()],
      containers: [aContainer()],
      applications: [anApplication()],
    }),
  );
  const { ledgerReader: reader } = ledger;
  assert.equal(await reader.application(ML, 'yarn-1', 'app-1'), undefined);
  assert.equal(await reader.application(ETL, 'yarn-2', 'app-1'), undefined);
  assert.deepEqual(await reader.charges(ML, { from: 0, until: 9e14 }, { limit: 9 }), []);
  for (const name of ['ETL', 'etl ', '%', '__proto__', '']) {
    assert.equal(await reader.balance(name as ProjectId), undefined);
    assert.equal(await reader.quota(name as ProjectId, 'default', T0), undefined);
  }
  assert.deepEqual([...(await reader.runningCounts())], [[ETL, 1]]);
});

test('an application ends with its latest container, and its resources are of running ones', async () => {
  await using ledger = await memory();
  const ended = { state: 'ended', coverage: 'exact', nextAt: undefined, perHour: 0n } as const;
  const view = () => ledger.ledgerReader.application(ETL, 'yarn-1', 'app-1');
  await ledger.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication({ start: T0 + 50 })],
      containers: [
        aContainer({ container: 'c1', start: T0 - 5, end: T0 + 900, ...ended }),
        aContainer({ container: 'c2', resources: { millicores: 500, memoryMib: 7, gpus: 1 } }),
      ],
    }),
  );
  const running = await view();
  assert.deepEqual(
    [running?.start, running?.end, running?.millicores, running?.gpus, running?.coverage],
    [T0 - 5, undefined, 500, 1, 'running'],
  );
  await ledger.ledgerWriter.settle(
    aSettlement({ containers: [aContainer({ container: 'c2', end: T0 + 300, ...ended })] }),
  );
  const over = await view();
  assert.deepEqual(
    [over?.state, over?.end, over?.millicores, over?.coverage],
    ['ended', T0 + 900, 0, 'exact'],
  );
});
