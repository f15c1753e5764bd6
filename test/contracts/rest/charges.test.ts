import assert from 'node:assert/strict';
import test from 'node:test';
import type { Charge } from '../../../shared/contracts/charge.ts';
import { restCharges } from '../../../shared/contracts/rest.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import {
  aCharge,
  anApplication,
  aSettlement,
  credits,
  SAMPLE_HOUR,
} from '../../support/api-samples.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';

async function settle(api: AskingApi, charges: readonly Charge[]): Promise<void> {
  await api.stores.ledgerWriter.settle(aSettlement({ applications: [anApplication()], charges }));
}

const PATH = '/v1/projects/team-a/charges';

test('a charge is told to the last unit: what, when, how much, by which card and rule', async () => {
  await using api = await askingApi();
  const charge = aCharge({ step: 1_150, amount: credits(9_000_000_000) + 1n });
  await settle(api, [charge]);
  assert.deepEqual(await api.get(PATH, restCharges), {
    charges: [
      {
        id: charge.id,
        type: 'ORIGINAL',
        kind: 'usage',
        cluster: 'alpha',
        application: 'application_1_0001',
        container: 'c1',
        role: 'executor',
        hour: '2026-11-21T08:00:00.000Z',
        multiplier: '1.15',
        amount: '9000000000.000000001',
        containerMs: '1',
        millicoreMs: '2',
        mibMs: '9007199254740993',
        gpuMs: '0',
        rateCard: 'default',
        ruleVersion: 'rating-1',
        coverage: 'exact',
        outcome: '',
        storedAt: '2026-11-21T09:00:00.000Z',
        booked: '2026-11',
      },
    ],
    coverage: { exact: '9000000000.000000001', inferred: '0', estimated: '0' },
    cursor: null,
  });
});

test('a correction is listed beside what it corrects', async () => {
  await using api = await askingApi();
  const original = aCharge();
  const retraction = aCharge({ id: `${original.id}1`, type: 'RETRACTION', amount: credits(-5) });
  await settle(api, [original, retraction]);
  const { charges } = await api.get(PATH, restCharges);
  assert.deepEqual(
    charges.map(({ type, amount }) => [type, amount]),
    [
      ['ORIGINAL', '5'],
      ['RETRACTION', '-5'],
    ],
  );
});

async function withHours(api: AskingApi, hours: number): Promise<void> {
  const charges = Array.from({ length: hours * 3 }, (_, i) =>
    aCharge({ hour: SAMPLE_HOUR - Math.floor(i / 3) * HOUR_MS, container: `c${i % 3}` }),
  );
  await settle(api, charges);
}

test('a window is half-open on the hour, absolute or relative to the time now', async () => {
  await using api = await askingApi();
  await withHours(api, 30);
  const count = async (query: string) => {
    const { charges } = await api.get(`${PATH}?${query}`, restCharges);
    return charges.length / 3;
  };
  assert.equal(await count(''), 24, 'a day, by default');
  assert.equal(await count('from=-2h'), 2);
  assert.equal(await count('from=-120m&until=-1h'), 1);
  assert.equal(await count('from=-7d&until=now'), 30);
  assert.equal(await count('from=2026-11-21T07:00:00Z&until=2026-11-21T08:00:00Z'), 1);
  assert.equal(await count('from=2026-11-21T09:00:00%2B02:00&until=2026-11-21T08:00:00Z'), 1);
  assert.equal(await count('from=2026-11-21T07:00:00.001Z'), 1);
  await api.clock.advance(MINUTE_MS);
  assert.equal(await count('from=-2h'), 1, 'now has moved');
});

test('pages hold every charge once, in the order of ids, and the last one says so', async () => {
  await using api = await askingApi();
  await withHours(api, 4);
  for (const limit of [1, 5, 6, 12, 13]) {
    const ids: string[] = [];
    let pages = 0;
    let cursor: string | null = '';
    while (cursor !== null) {
      const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = await api.get(`${PATH}?limit=${limit}${more}`, restCharges);
      ids.push(...page.charges.map(({ id }) => id));
      cursor = page.cursor;
      pages += 1;
    }
    assert.equal(new Set(ids).size, 12);
    assert.deepEqual(ids, ids.toSorted());
    assert.equal(pages, Math.ceil(12 / limit), 'no empty page at the end');
  }
});

test('charges of another project are not in the answer', async () => {
  await using api = await askingApi();
  const theirs = aCharge({ project: 'team-b' as ProjectId, container: 'c2' });
  await settle(api, [aCharge(), theirs]);
  const { charges } = await api.get(PATH, restCharges);
  assert.deepEqual(
    charges.map(({ container }) => container),
    ['c1'],
  );
});

test('times that are none, or in the wrong order, are refused by name', async () => {
  await using api = await askingApi();
  await withHours(api, 1);
  for (const [query, path] of [
    ['from=yesterday', 'query.from'],
    ['from=2026-11-21T07:00:00', 'query.from'],
    ['until=2026-13-41T07:00:00Z', 'query.until'],
    ['from=-5w', 'query.from'],
    ['from=1763712000000', 'query.from'],
    ['from=', 'query.from'],
    ['from=now&until=-1h', 'query.from'],
    ['limit=5001', 'query.limit'],
    ['limit=1.5', 'query.limit'],
    ['limit=ten', 'query.limit'],
  ] as const) {
    const problem = await api.problem(api.ask(`${PATH}?${query}`));
    assert.deepEqual(
      problem.errors?.map((error) => error.path),
      [path],
      query,
    );
  }
});
