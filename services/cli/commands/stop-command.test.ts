import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { aContainer, anApplication, aSettlement } from '../../../test/support/api-samples.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { runningApi } from '../../../test/support/running-api.ts';
import { stopCommand } from './stop-command.ts';

const APPLICATION = 'application_1_0001';

async function withApplication() {
  const api = await runningApi();
  await api.stores.ledgerWriter.settle(
    aSettlement({ applications: [anApplication()], containers: [aContainer()] }),
  );
  const stop = (...more: readonly string[]) => {
    const place = ['-p', 'team-a', '--cluster', 'alpha', '--url', api.url];
    return runCommand(
      (io) => stopCommand(io, randomBytes),
      ['stop', APPLICATION, ...place, ...more],
    );
  };
  const ordered = async () => {
    for (;;) {
      const [found] = await api.stores.stopOrders.ofApplication('alpha', APPLICATION);
      if (found !== undefined) return found;
      await new Promise((next) => setImmediate(next));
    }
  };
  return { api, stop, ordered };
}

test('stop orders, and says who hears of it and when', async () => {
  const { api, stop, ordered } = await withApplication();
  await using _ = api;
  const { exitCode, out } = await stop('--within', '5', '--force');
  assert.equal(exitCode, 0);
  assert.match(out, /^application_1_0001: ordered; its agent hears it/);
  const { withinMs, force } = await ordered();
  assert.deepEqual([withinMs, force], [5_000, true]);
});

test('stop waits for the outcome, and its exit code tells it', async () => {
  for (const [state, clean, code] of [
    ['stopped', true, 0],
    ['refused', undefined, 1],
  ] as const) {
    const { api, stop, ordered } = await withApplication();
    await using _ = api;
    const waiting = stop('--wait', '60', '--json');
    const { id } = await ordered();
    await api.stores.stopOrders.report(id, { state, clean, message: 'so it is' }, 1);
    const { exitCode, out } = await waiting;
    assert.equal(exitCode, code);
    const told = JSON.parse(out);
    assert.deepEqual([told.state, told.clean, told.message], [state, clean ?? null, 'so it is']);
  }
});

test('an application that is not there is told as that', async () => {
  const { api } = await withApplication();
  await using _ = api;
  const args = ['stop', 'app-x', '-p', 'team-a', '--url', api.url];
  const { exitCode, err } = await runCommand((io) => stopCommand(io, randomBytes), args);
  assert.equal(exitCode, 4);
  assert.match(err, /no such application/);
});
