import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RestReplayLine } from '../../shared/contracts/rest-replay.ts';
import { storesConfig } from '../../shared/stores/config.ts';
import { openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import { containerFact, T0 } from '../../test/support/fact-builders.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { meteringOptions } from '../../test/support/metering-run.ts';
import { temporaryFolder } from '../../test/support/running-tollgate.ts';
import { settleFacts } from '../../test/support/settle-facts.ts';
import { remoteReplays } from './remote-replays.ts';
import { openReplayPart } from './replay-part.ts';

const QUESTION = {
  ...{ start: T0 - 2 * HOUR_MS, end: T0, project: undefined },
  tariff: { rateCard: { coreSecond: '0.1' } },
};

async function openPart() {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await temporaryFolder());
  const clock = new FakeClock(T0);
  {
    await using ledger = await openLedger({ file: join(folder.path, 'ledger.db') });
    const facts = [
      containerFact('container-started', T0 - HOUR_MS),
      containerFact('container-stopped', T0),
    ];
    await settleFacts(ledger, facts, T0);
  }
  const setup = { dataFolder: folder.path, process: '', stores: storesConfig.parse({}) };
  const part = resources.use(
    await openReplayPart({
      ...{ setup, clock, logger: silentLogger, metrics: new Metrics(), random: () => 0 },
      enforcementWord: undefined,
      config: { metering: meteringOptions() },
      roles: ['serve'],
    }),
  );
  const replays = remoteReplays({
    call: async <T>(method: string, args: readonly unknown[]) =>
      (await part.handlers[method]?.(...(args as never[]))) as T,
  });
  const open = resources.move();
  return { replays, clock, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

async function all(lines: AsyncIterable<RestReplayLine>): Promise<RestReplayLine[]> {
  return await Array.fromAsync(lines);
}

test('a replay reads a file that another writes, and a second one waits for the first', async () => {
  await using part = await openPart();
  const [first] = [part.replays(QUESTION)[Symbol.asyncIterator]()];
  await first.next();
  await assert.rejects(all(part.replays(QUESTION)), { code: 'OVERLOADED' });
  await first.return?.();
  const lines = await all(part.replays(QUESTION));
  const result = lines.at(-1);
  assert.ok(result?.type === 'result');
  assert.equal(result.containers, 1);
  assert.deepEqual([result.total.charged, result.total.replayed], ['7.92', '721.44']);
});

test('who left without a word holds the place for a minute', async () => {
  await using part = await openPart();
  const gone = part.replays(QUESTION)[Symbol.asyncIterator]();
  await gone.next();
  await part.clock.advance(59_000);
  await assert.rejects(all(part.replays(QUESTION)), { code: 'OVERLOADED' });
  await part.clock.advance(1_000);
  assert.equal((await all(part.replays(QUESTION))).at(-1)?.type, 'result');
  assert.deepEqual(await gone.next(), { done: true, value: undefined });
});

test('a bad tariff ends the replay, and leaves the place to the next', async () => {
  await using part = await openPart();
  await assert.rejects(all(part.replays({ ...QUESTION, tariff: {} })), { code: 'BAD_REQUEST' });
  assert.equal((await all(part.replays(QUESTION))).at(-1)?.type, 'result');
});
