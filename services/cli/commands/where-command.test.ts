import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restProjectSpending } from '../../../shared/contracts/rest-spending.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  credits,
} from '../../../test/support/api-samples.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { runningApi } from '../../../test/support/running-api.ts';
import { EXIT } from '../cli-io.ts';
import { whereCommand } from './where-command.ts';

const APP = 'application_1_0001';

async function asked() {
  const api = await runningApi({
    deps: { clusters: [{ id: 'alpha', type: 'yarn', pool: 'cpu', links: {} }] },
  });
  const driver = { container: 'd', role: 'driver', amount: credits(2) };
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication()],
      containers: [aContainer(), aContainer({ container: 'd' })],
      charges: [aCharge(), aCharge(driver)],
    }),
  );
  return {
    run: (...args: string[]) => runCommand(whereCommand, ['where', ...args, '--url', api.url]),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

test('where lists a project’s applications with their parts, and JSON is the answer', async () => {
  await using tollgate = await asked();
  const text = await tollgate.run('team-a');
  assert.equal(text.exitCode, 0, text.err);
  assert.match(text.out, /^APPLICATION +CHARGED +USEFUL .* DRIVER +MASTER +UNTOLD$/m);
  assert.match(text.out, /^application_1_0001 +7( +0){5} +2 +0 +5$/m);
  assert.match(text.out, /^ALL +7 /m);
  const json = await tollgate.run('team-a', '--json');
  assert.equal(restProjectSpending.parse(JSON.parse(json.out)).charged, '7');
});

test('where of one application tells what runs and is not charged yet', async () => {
  await using tollgate = await asked();
  const { out, exitCode } = await tollgate.run('team-a', APP, '--cluster', 'alpha');
  assert.equal(exitCode, 0);
  assert.match(out, /^4 more are used, not charged yet$/m);
});

test('where of a cluster says what it kept idle, or that nobody knows', async () => {
  await using tollgate = await asked();
  const { out } = await tollgate.run('--cluster', 'alpha');
  assert.match(out, /^team-a +7 /m);
  assert.match(out, /nobody watches its nodes/);
});

test('where without enough to go on says what to name', async () => {
  await using tollgate = await asked();
  const nothing = await tollgate.run();
  assert.equal(nothing.exitCode, EXIT.usage);
  assert.match(nothing.err, /name a project, or a --cluster/);
  const noCluster = await tollgate.run('team-a', APP);
  assert.match(noCluster.err, /name the --cluster of application_1_0001/);
  assert.equal((await tollgate.run('nobody')).exitCode, EXIT.refused);
});
