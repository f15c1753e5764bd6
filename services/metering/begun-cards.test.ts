import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { T0 } from '../../test/support/fact-builders.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { meteringOptions, meteringStores } from '../../test/support/metering-run.ts';
import { begunCards } from './begun-cards.ts';
import { type meteringConfig, tariffBookOf } from './config.ts';
import { startMetering } from './start.ts';

const soon = { id: 'soon', pool: 'default', validFrom: '2026-12-01T00:00:00Z' };

test('a card that has begun can be told by its rates, rule and minimum; when and where it holds not', () => {
  const of = (more: object) => {
    const book = tariffBookOf(meteringOptions({ rateCard: { minimum: '0.10', ...more } }));
    return begunCards(book, T0);
  };
  const [card] = of({});
  assert.equal(card?.id, 'default');
  assert.equal(
    card.body,
    '{"coreSecond":"0.0009","gibSecond":"0.0001","gpuSecond":"0.02","minimum":"0.1","rule":"additive"}',
  );
  assert.deepEqual(of({ validFrom: '2026-01-01T00:00:00Z' }), [card]);
  assert.notDeepEqual(of({ rule: 'dominant' }), [card]);
  assert.deepEqual(begunCards(tariffBookOf(meteringOptions({ rateCards: [soon] })), T0).length, 1);
});

test('a meter with other rates under an id by which was charged is refused; a new id is not', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  const start = async (options: z.input<typeof meteringConfig>) => {
    await using _meter = await startMetering({
      config: meteringOptions(options),
      stores: meteringStores(ledger),
      clock: new FakeClock(T0),
      logger: silentLogger,
      metrics: new Metrics(),
    });
  };
  await start({ rateCards: [soon] });
  await start({ rateCards: [{ ...soon, coreSecond: '0.5' }] });
  const dearer = { coreSecond: '0.5' };
  await assert.rejects(start({ rateCard: dearer }), {
    code: 'CONFIG_INVALID',
    message: /default: .*"coreSecond":"0.0009".* became .*"coreSecond":"0.5"/,
  });
  const now = { validFrom: '2026-11-21T00:00:00Z' };
  await start({
    rateCard: { ...dearer, ...now, id: 'dearer' },
    earlierRateCards: [{ id: 'default' }],
  });
});
