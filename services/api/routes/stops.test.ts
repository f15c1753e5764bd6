import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restStop, restStops } from '../../../shared/contracts/rest.ts';
import { aContainer, anApplication, aSettlement } from '../../../test/support/api-samples.ts';
import { askingApi } from '../../../test/support/asking-api.ts';

const PATH = '/v1/projects/team-a/applications/alpha/application_1_0001/stops';

async function withApplication(over: Parameters<typeof anApplication>[0] = {}) {
  const api = await askingApi();
  const containers = over.ended === undefined ? [aContainer()] : [];
  const settlement = aSettlement({ applications: [anApplication(over)], containers });
  await api.stores.ledgerWriter.settle(settlement);
  return api;
}

test('a stop is ordered once, and its outcome can be read', async () => {
  await using api = await withApplication();
  const first = await api.postOk(PATH, { id: 's1', withinMs: 5_000 }, restStop);
  assert.deepEqual(
    [first.state, first.clean, first.withinMs, first.force],
    ['ordered', null, 5_000, false],
  );
  assert.deepEqual(await api.postOk(PATH, { id: 's1', withinMs: 5_000 }, restStop), first);
  const outcome = { state: 'stopped', clean: true, message: '2 queries stopped' } as const;
  await api.stores.stopOrders.report('s1', outcome, api.clock.now() + 1_000);
  const { stops } = await api.get(PATH, restStops);
  assert.deepEqual(
    stops.map(({ id, state, clean, message }) => [id, state, clean, message]),
    [['s1', 'stopped', true, '2 queries stopped']],
  );
});

test('other words under an id, a foreign application and nonsense are refused', async () => {
  await using api = await withApplication();
  await api.postOk(PATH, { id: 's1' }, restStop);
  const refusals = [
    [PATH, { id: 's1', force: true }, 409],
    [PATH.replace('team-a', 'team-b'), { id: 's2' }, 404],
    [PATH.replace('0001', '0002'), { id: 's2' }, 404],
    [PATH, { id: '' }, 400],
    [PATH, { id: 's3', withinMs: 1e9 }, 400],
    [PATH, { id: 's3', kill: true }, 400],
  ] as const;
  for (const [path, body, status] of refusals) {
    assert.equal((await api.problem(api.post(path, body))).status, status, JSON.stringify(body));
  }
});
