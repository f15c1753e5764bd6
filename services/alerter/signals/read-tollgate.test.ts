import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Notification } from '../../../shared/contracts/notification.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../shared/values/instant.ts';
import { UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import { refused } from '../../../test/contracts/quarantine-suite.ts';
import { applicationFact, loadFact, T0 } from '../../../test/support/fact-builders.ts';
import { aCharge, anApplication, aSettlement, ETL } from '../../../test/support/ledger-builders.ts';
import { openSignalBench, valuesBy } from '../../../test/support/signal-bench.ts';

const tollgate = (measure: string, more: object = {}) => ({ kind: 'tollgate', measure, ...more });

test('ingestion is as far as the meter and the cluster are, whichever is behind', async () => {
  await using bench = await openSignalBench(T0);
  const lag = async () => (await bench.samples(tollgate('ingestion-lag')))[0];
  assert.equal((await lag())?.why, 'nothing was metered yet');
  await bench.tell([applicationFact('application-seen', T0)]);
  bench.now = T0 + 90 * SECOND_MS;
  assert.equal((await lag())?.value, 90);
  await bench.tell([loadFact(T0 - 200 * SECOND_MS, 0.5)]);
  assert.equal((await lag())?.value, 290);
});

test('records refused within the window count by collector', async () => {
  await using bench = await openSignalBench(T0);
  const at = (minutesAgo: number) => ({ observedAt: T0 - minutesAgo * MINUTE_MS });
  await bench.quarantine.put([
    refused('a', at(5)),
    refused('b', { ...at(5), reason: 'too-long' }),
    refused('c', at(1)),
    refused('d', at(60)),
    refused('e', { ...at(60), collector: 'metrics' }),
  ]);
  const samples = await bench.samples(tollgate('quarantine-growth', { window: '15m' }));
  assert.deepEqual(valuesBy(samples, 'collector'), { logs: 3, metrics: 0 });
  assert.equal(samples[0]?.annotations['reason'], 'no-message');
});

test('the outbox is as old as what waits longest', async () => {
  await using bench = await openSignalBench(T0);
  const age = async () => (await bench.samples(tollgate('outbox-age')))[0]?.value;
  assert.equal(await age(), 0);
  const notification: Notification = {
    ...{ id: 'n1', receiver: 'r', groupKey: 'g', groupLabels: {}, reason: 'test' },
    ...{ status: 'firing', project: undefined, firing: [], ended: [] },
    ...{ more: { firing: 0, ended: 0 }, text: 'x', at: T0 },
  };
  await bench.alerts.outbox.enqueue([notification]);
  bench.now = T0 + 7 * MINUTE_MS;
  assert.equal(await age(), 420);
});

test('the share of charges that nobody is known for is net, over the window', async () => {
  await using bench = await openSignalBench(T0);
  const share = async () =>
    (await bench.samples(tollgate('unattributed-share', { window: '1d' })))[0]?.value;
  assert.equal(await share(), 0);
  await bench.ledger.ledgerWriter.settle(
    aSettlement({
      asOf: T0,
      applications: [anApplication(), anApplication({ application: 'u', project: UNATTRIBUTED })],
      charges: [
        aCharge({ amount: 95n, hour: T0 - HOUR_MS, project: ETL }),
        aCharge({
          ...{ amount: 5n, hour: T0 - HOUR_MS, project: UNATTRIBUTED },
          ...{ application: 'u', container: 'u1', digest: 'd2' },
        }),
      ],
    }),
  );
  assert.equal(await share(), 5);
});

test('what only processes know comes through their sight', async () => {
  await using bench = await openSignalBench(T0, {
    tollgate: {
      stores: async () => [
        { store: 'ledger', error: undefined, at: T0 },
        { store: 'logs', error: 'refused', at: T0 },
      ],
      sources: async () => [
        { collector: 'logs', source: 'file', lastAt: T0 - MINUTE_MS, since: 0, at: T0 },
        { collector: 'logs', source: 'tcp', lastAt: undefined, since: T0 - HOUR_MS, at: T0 },
      ],
      evaluation: async () => ({ rule: 'Slow', dueAt: T0 - 5 * SECOND_MS, at: T0 }),
    },
  });
  const read = async (measure: string, ...labels: string[]) =>
    valuesBy(await bench.samples(tollgate(measure)), ...labels);
  assert.deepEqual(await read('store-unreachable', 'store'), { ledger: 0, logs: 1 });
  assert.deepEqual(await read('source-silence', 'source'), { file: 60, tcp: 3_600 });
  assert.deepEqual(await read('evaluation-lag'), { '': 5 });
  assert.deepEqual(await read('watchdog'), { '': 1 });
});
