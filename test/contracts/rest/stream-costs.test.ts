import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whereCommand } from '../../../services/cli/commands/where-command.ts';
import { restStreamCosts } from '../../../shared/contracts/rest-spending.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  SAMPLE_HOUR,
} from '../../support/api-samples.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';
import { runCommand } from '../../support/run-command.ts';
import { writePoints } from '../../support/write-points.ts';

const APP = 'application_1_0001';
const PATH = `/v1/projects/team-a/applications/alpha/${APP}/stream-costs`;

const batch = (query: string, at: number, minutes: number, rows: number) => ({
  at,
  measurement: 'streaming_query',
  tags: {
    ...{ project: 'team-a', cluster: 'alpha', application: APP },
    // A restart is a run of its own, and so a series.
    ...{ query, run: `r${at}`, name: `name of ${query}` },
  },
  fields: { batch_id: 1, trigger_ms: minutes * MINUTE_MS, input_rows: rows },
});

/** 5 credits for the hour: q1 took 24 min of it in two runs, q2 6 min; the next isn't charged. */
async function fill(api: AskingApi): Promise<void> {
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication()],
      containers: [aContainer()],
      charges: [aCharge()],
    }),
  );
  await writePoints(api.metricWriter, [
    batch('q1', SAMPLE_HOUR + 20 * MINUTE_MS, 20, 1_500_000),
    batch('q1', SAMPLE_HOUR + 40 * MINUTE_MS, 4, 500_000),
    batch('q2', SAMPLE_HOUR + 50 * MINUTE_MS, 6, 0),
    batch('q1', SAMPLE_HOUR + HOUR_MS + MINUTE_MS, 1, 9_000_000),
  ]);
}

test('streaming queries tell what a million rows and a batch cost, and what idling does', async () => {
  await using api = await askingApi();
  await fill(api);
  const answer = await api.get(`${PATH}?from=-3h`, restStreamCosts);
  assert.deepEqual([answer.charged, answer.idle], ['5', '2.5']);
  assert.deepEqual(answer.queries, [
    {
      ...{ id: 'q1', name: 'name of q1', batches: 2, rows: 2_000_000, triggerMs: 24 * MINUTE_MS },
      ...{ worked: '2', idle: '2', perMillionRows: '2', perBatch: '2' },
    },
    {
      ...{ id: 'q2', name: 'name of q2', batches: 1, rows: 0, triggerMs: 6 * MINUTE_MS },
      ...{ worked: '0.5', idle: '0.5', perMillionRows: null, perBatch: '1' },
    },
  ]);
});

test('a foreign application is not there, and a window too long or turned round is refused', async () => {
  await using api = await askingApi();
  await fill(api);
  const foreign = await api.problem(api.ask(PATH.replace('team-a', 'team-b')));
  assert.equal(foreign.status, 404);
  for (const query of ['from=-40d', 'from=now&until=-1h']) {
    assert.equal((await api.problem(api.ask(`${PATH}?${query}`))).status, 400, query);
  }
});

test('tollgate where --streams prints them, exact in JSON', async () => {
  await using api = await askingApi();
  await fill(api);
  const args = ['where', 'team-a', APP, '--cluster', 'alpha', '--streams', '--url', api.url];
  const { out, err, exitCode } = await runCommand(whereCommand, [...args, '--from', '-3h']);
  assert.equal(exitCode, 0, err);
  assert.match(out, /^QUERY +BATCHES +ROWS +WORKED +IDLE +PER MILLION ROWS +PER BATCH$/m);
  assert.match(out, /^name of q1 +2 +2000000 +2 +2 +2 +2$/m);
  assert.match(out, /^name of q2 +1 +0 +0\.5 +0\.5 +1$/m);
  const json = await runCommand(whereCommand, [...args, '--from', '-3h', '--json']);
  assert.equal(restStreamCosts.parse(JSON.parse(json.out)).idle, '2.5');
  const alone = await runCommand(whereCommand, ['where', 'team-a', '--streams']);
  assert.match(alone.err, /--streams needs an application/);
});
