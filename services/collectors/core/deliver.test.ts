import assert from 'node:assert/strict';
import test from 'node:test';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Quarantine, QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { createDeliver } from './deliver.ts';

const refused: QuarantinedRecord = {
  id: 'file/1',
  collector: 'logs',
  source: 'file',
  reason: 'not-text',
  project: 'etl',
  observedAt: 0,
  raw: '\0',
};

function setUp(put: () => Promise<void> = async () => {}) {
  const clock = new FakeClock();
  const metrics = new Metrics();
  const quarantine: Pick<Quarantine, 'put'> = { put };
  const deliver = createDeliver({
    collector: 'logs',
    quarantine: quarantine as Quarantine,
    clock,
    random: () => 1,
    logger: silentLogger,
    metrics,
  });
  return { clock, metrics, deliver };
}

const delivery = (store: () => Promise<string>) => ({
  store,
  quarantined: [refused],
  kept: 3,
  dropped: new Map([['too-old', 2]]),
});
const never = new AbortController().signal;

test('refused records are safe before the checkpoint passes them', async () => {
  const order: string[] = [];
  const { deliver } = setUp(async () => {
    order.push('quarantine');
  });
  await deliver(
    delivery(async () => {
      order.push('store');
      return 'done';
    }),
    never,
  );
  assert.deepEqual(order, ['quarantine', 'store']);
});

test('a store that is away is tried again until it answers, and fates are counted once', async () => {
  const { clock, metrics, deliver } = setUp();
  let attempts = 0;
  const delivered = deliver(
    delivery(async () => {
      attempts += 1;
      if (attempts < 4) throw new AppError('STORE_UNAVAILABLE', 'locked');
      return 'stored';
    }),
    never,
  );
  for (let i = 0; i < 3; i += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(10_000);
  }
  assert.equal(await delivered, 'stored');
  assert.equal(attempts, 4);
  assert.deepEqual(
    [...metrics.values('tollgate_records_total')],
    [
      ['{collector="logs",fate="kept",reason=""}', 3],
      ['{collector="logs",fate="dropped",reason="too-old"}', 2],
      ['{collector="logs",fate="quarantined",reason="not-text"}', 1],
    ],
  );
});

test('an error that trying again cannot mend is thrown at once', async () => {
  const { deliver } = setUp();
  await assert.rejects(
    deliver(
      delivery(async () => {
        throw new Error('a bug');
      }),
      never,
    ),
    /a bug/,
  );
});

test('the wait for a store ends with its signal', async () => {
  const { deliver } = setUp();
  const stop = new AbortController();
  const delivered = deliver(
    delivery(async () => {
      throw new AppError('DISK_FULL', 'no room');
    }),
    stop.signal,
  );
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort(new Error('stopping'));
  await assert.rejects(delivered, /stopping/);
});
