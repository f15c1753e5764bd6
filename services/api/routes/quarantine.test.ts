import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restQuarantine, restReplay } from '../../../shared/contracts/rest.ts';
import type { QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import { T0 } from '../../../test/support/fact-builders.ts';
import { problemOf } from '../../../test/support/problem-of.ts';
import { runningApi } from '../../../test/support/running-api.ts';

function refused(id: string, more: Partial<QuarantinedRecord> = {}): QuarantinedRecord {
  return {
    id,
    collector: 'logs',
    source: 'http:yarn-1',
    reason: 'not-json',
    project: 'etl',
    observedAt: T0,
    raw: '{"half":',
    ...more,
  };
}

test('refused records are counted by reason and listed as they came', async () => {
  await using api = await runningApi();
  const control = refused('b', { reason: 'no-id', collector: 'progress', raw: '\u001b[31m\0' });
  await api.deps.quarantine.put([refused('a'), control]);
  const all = await api.get('/v1/quarantine', restQuarantine);
  assert.deepEqual(all.counts.map(({ reason, records }) => [reason, records]).sort(), [
    ['no-id', 1],
    ['not-json', 1],
  ]);
  const some = await api.get('/v1/quarantine?collector=progress', restQuarantine);
  assert.deepEqual(
    some.records.map(({ id, raw, observedAt }) => [id, raw, observedAt]),
    [['b', '\u001b[31m\0', new Date(T0).toISOString()]],
  );
});

test('a replay sends exactly what its filter names through the collectors', async () => {
  const replayed: string[] = [];
  await using api = await runningApi({
    deps: {
      replay: async (records) => {
        replayed.push(...records.map(({ id }) => id));
        return {
          ...{ stored: records.length, duplicates: 0, dropped: 0, quarantined: 0 },
          verdicts: [],
        };
      },
    },
  });
  await api.deps.quarantine.put([refused('a'), refused('b', { reason: 'no-id' })]);
  const answer = await api.post('/v1/quarantine/replay', { reason: 'no-id' });
  assert.deepEqual(restReplay.parse(await answer.json()), { replayed: 1, stored: 1 });
  assert.deepEqual(replayed, ['b']);
  const none = await api.post('/v1/quarantine/replay', { reason: 'gone' });
  assert.deepEqual(await none.json(), { replayed: 0, stored: 0 });
  await problemOf(await api.post('/v1/quarantine/replay', { reasons: 'no-id', limit: 0 }), 400);
});
