import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import {
  aCharge,
  aLoad,
  aNode,
  anApplication,
  aSettlement,
  SAMPLE_HOUR,
} from '../../../test/support/api-samples.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { runningApi } from '../../../test/support/running-api.ts';
import { clustersCommand } from './clusters-command.ts';

const clusters = [{ id: 'alpha', type: 'yarn', pool: 'main', links: {} }];

async function platform() {
  const api = await runningApi({ deps: { clusters } });
  const facts = [aNode(), aLoad({ at: SAMPLE_HOUR + HOUR_MS })];
  const batch = { facts, evidence: [], activity: [], checkpoints: [] };
  await api.stores.journalWriter.record(batch, SAMPLE_HOUR);
  const millicoreMs = BigInt(HOUR_MS) * 1_000n;
  const quantity = { containerMs: 1n, millicoreMs, mibMs: 0n, gpuMs: 0n };
  const clockPairs = Array.from({ length: 5 }, () => ({
    witness: 'yarn' as const,
    reference: 'event-log' as const,
    host: '',
    at: SAMPLE_HOUR,
    startMs: 250,
    stopMs: undefined,
  }));
  const ref = { cluster: 'alpha', application: 'application_1_0001' };
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication()],
      charges: [aCharge({ quantity })],
      findings: clockPairs.map((pair, i) => ({
        ...{ ...ref, container: `c${i}`, anomalies: [], clockPairs: [pair] },
      })),
    }),
  );
  return api;
}

test('clusters lists each with its load, and what nobody used', async () => {
  await using api = await platform();
  const all = await runCommand(clustersCommand, ['clusters', '--url', api.url]);
  assert.equal(all.exitCode, 0, all.err);
  assert.match(all.out, /^CLUSTER +TYPE +POOL +NODES +CORES NOW +NODES core h/);
  assert.match(all.out, /^alpha +yarn +main +1 +3\.5 of 8 +4\.0 +1\.0 +0\.0 +3\.0 +75\.0 %$/m);
  const json = await runCommand(clustersCommand, ['clusters', '--json', '--url', api.url]);
  assert.equal(JSON.parse(json.out).idle[0].total.idle.millicoreMs, `${3 * HOUR_MS * 1_000}`);
});

test('one cluster is told by the hour, with the clocks of its witnesses', async () => {
  await using api = await platform();
  const one = await runCommand(clustersCommand, ['clusters', 'alpha', '--url', api.url]);
  assert.equal(one.exitCode, 0, one.err);
  assert.match(one.out, /^2026-11-21 08:00 +4\.0 +1\.0 +0\.0 +3\.0 +75\.0 %$/m);
  assert.match(one.out, /^yarn +event-log +250 ms +5$/m);
  const none = await runCommand(clustersCommand, ['clusters', 'other', '--url', api.url]);
  assert.equal(none.exitCode, 4);
  assert.match(none.err, /there is no cluster other/);
});
