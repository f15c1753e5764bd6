import assert from 'node:assert/strict';
import test from 'node:test';
import { restQuarantine, restReplay } from '../../../shared/contracts/rest.ts';
import type { QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import { askingApi } from '../../support/asking-api.ts';

const PATH = '/v1/quarantine';

function refused(id: string, over: Partial<QuarantinedRecord> = {}): QuarantinedRecord {
  return {
    id,
    collector: 'logs',
    source: 'driver.log:1',
    reason: 'binary',
    project: 'team-a',
    observedAt: Date.UTC(2026, 10, 21, 8),
    raw: `raw ${id} \u0000\u001b[31m`,
    ...over,
  };
}

test('refused records are listed as they came, with the number of each reason', async () => {
  await using api = await askingApi();
  await api.deps.quarantine.put([refused('1'), refused('2'), refused('3', { reason: 'too-long' })]);
  const all = await api.get(PATH, restQuarantine);
  assert.deepEqual(all.counts, [
    { collector: 'logs', reason: 'binary', records: 2 },
    { collector: 'logs', reason: 'too-long', records: 1 },
  ]);
  assert.equal(all.records.length, 3);
  const { records } = await api.get(`${PATH}?reason=too-long`, restQuarantine);
  assert.deepEqual(records, [
    { ...refused('3', { reason: 'too-long' }), observedAt: '2026-11-21T08:00:00.000Z' },
  ]);
});

test('records are narrowed by collector, project and number', async () => {
  await using api = await askingApi();
  await api.deps.quarantine.put([
    refused('1'),
    refused('2', { collector: 'metrics' }),
    refused('3', { project: 'team-b' }),
  ]);
  const ids = async (query: string) =>
    (await api.get(`${PATH}?${query}`, restQuarantine)).records.map(({ id }) => id);
  assert.deepEqual(await ids('collector=metrics'), ['2']);
  assert.deepEqual(await ids('project=team-b'), ['3']);
  assert.deepEqual(await ids('project=team-b&collector=metrics'), []);
  assert.equal((await ids('limit=2')).length, 2);
});

test('a replay sends what was asked for through its collector, and tells what came of it', async () => {
  const sent: string[] = [];
  await using api = await askingApi({
    deps: {
      replay: async (records) => {
        sent.push(...records.map(({ id }) => id));
        return { stored: 1 };
      },
    },
  });
  await api.deps.quarantine.put([refused('1'), refused('2'), refused('3', { reason: 'too-long' })]);
  const answer = await api.postOk(`${PATH}/replay`, { reason: 'binary' }, restReplay);
  assert.deepEqual(answer, { replayed: 2, stored: 1 });
  assert.deepEqual(sent.sort(), ['1', '2']);
  const one = await api.postOk(`${PATH}/replay`, { limit: 1 }, restReplay);
  assert.equal(one.replayed, 1);
});

test('a replay of nothing asks no collector', async () => {
  await using api = await askingApi({
    deps: { replay: () => Promise.reject(new Error('asked')) },
  });
  const answer = await api.postOk(`${PATH}/replay`, { reason: 'none' }, restReplay);
  assert.deepEqual(answer, { replayed: 0, stored: 0 });
});

test('a replay without bounds, or with a name that there is not, is refused', async () => {
  await using api = await askingApi();
  for (const body of [{ limit: 1_001 }, { limit: 0 }, { reasons: 'binary' }, [], 'x']) {
    const problem = await api.problem(api.post(`${PATH}/replay`, body));
    assert.equal(problem.code, 'BAD_REQUEST', JSON.stringify(body));
  }
});
