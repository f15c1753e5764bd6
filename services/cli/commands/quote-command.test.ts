import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restQuote } from '../../../shared/contracts/rest-quote.ts';
import { anEpoch, SAMPLE_HOUR } from '../../../test/support/api-samples.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { type RunningApi, runningApi } from '../../../test/support/running-api.ts';
import { quoteCommand } from './quote-command.ts';

/** At 1.45 X in the only pool. */
async function dearApi(): Promise<RunningApi> {
  const api = await runningApi();
  await api.stores.grants.register('team-a' as never);
  await api.stores.priceWriter.announce(
    anEpoch({ pool: 'cpu', start: SAMPLE_HOUR, step: 1_450 }),
    0,
  );
  return api;
}

const quote = ({ url, clock }: RunningApi, ...more: readonly string[]) =>
  runCommand(quoteCommand, ['quote', 'nightly', '-p', 'team-a', '--url', url, ...more], { clock });

test('quote tells price, cost of a plan, and what locks it', async () => {
  await using api = await dearApi();
  const plan = ['--cores', '10', '--memory', '10g', '--minutes', '60', '--lock', '30'];
  const { exitCode, out } = await quote(api, ...plan);
  assert.equal(exitCode, 0);
  assert.match(out, /^price +1\.45 X in pool cpu\ncost +52\.2 credits \(as planned\) at 1\.45 X\n/);
  assert.match(out, /runs for +1\.0 h\nlocked +at most 1\.45 X until 2026-11-21 09:30 UTC\n/);
  const { quotes: store } = api.stores;
  const [kept] = await store.live('team-a' as never, api.clock.now());
  assert.match(out, new RegExp(`--conf spark\\.tollgate\\.tag\\.tollgate\\.quote=${kept?.id}\n`));
});

test('quote tells limits that are missed, and its exit code does', async () => {
  await using api = await dearApi();
  const { exitCode, out, err } = await quote(api, '--max-price', '1.2', '--deadline', '+2h');
  assert.equal(exitCode, 1);
  assert.match(out, /cost +unknown: no earlier runs/);
  assert.match(out, /start +it can't be told when the price comes to at most 1\.20 X: 0 earlier/);
  assert.match(out, /max-multiplier +missed: the price is 1\.45 X, above 1\.20 X/);
  assert.match(out, /deadline +unknown: /);
  assert.match(err, /not within what was asked for/);
});

test('quote --json prints what the API answered', async () => {
  await using api = await dearApi();
  const { out } = await quote(api, '--json', '--history', 'night*', '--gpus', '1');
  const told = restQuote.parse(JSON.parse(out));
  assert.deepEqual(
    [told.application, told.price.multiplier, told.perHour],
    ['nightly', '1.45', '104.4'],
  );
});

test('odd options are refused before anybody is asked', async () => {
  await using api = await dearApi();
  for (const wrong of [
    ['--cores', '-1'],
    ['--memory', '8x'],
    ['--memory', '99999999t'],
    ['--max-price', '1,2'],
    ['--max-cost', '1e9'],
    ['--deadline', 'tomorrow'],
    ['--deadline', '2026-11-21T10:00'],
    ['--minutes', 'ten'],
    ['--lock', '0'],
  ]) {
    const { exitCode } = await quote(api, ...wrong);
    assert.equal(exitCode, 2, wrong.join(' '));
  }
});
