import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { anAlert } from '../../../test/support/alert-builders.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { runningApi } from '../../../test/support/running-api.ts';
import { alertsCommand } from './alerts-command.ts';
import { silenceCommand } from './silence-command.ts';

const ETL = 'etl' as ProjectId;

async function withAlert() {
  const api = await runningApi();
  const at = api.clock.now();
  await api.deps.alerts.save(
    {
      alerts: [
        anAlert('a1', {
          ...{ rule: 'RunawayApplication', project: ETL, state: 'firing', activeSince: at },
          annotations: { summary: 'orders\u001b[31m costs much', advice: 'look at its stages' },
          ...{ value: 312.5, unit: 'credits', limit: 'above 300 credits' },
          cost: { perHour: '38', soFar: '312.5' },
        }),
      ],
      transitions: [{ alert: 'a1', episode: 1, at, from: 'pending', to: 'firing', why: 'for 2m' }],
      health: [],
    },
    undefined,
  );
  const run = (...words: readonly string[]) =>
    runCommand((io) => alertsCommand(io), ['alerts', ...words, '--url', api.url]);
  const silence = (...words: readonly string[]) =>
    runCommand(
      (io) =>
        silenceCommand(
          io,
          (n) => Buffer.alloc(n, 7),
          () => api.clock.now(),
        ),
      ['silence', ...words, '--url', api.url],
    );
  return { api, run, silence };
}

test('alerts tells what fires with its price, harmless on a terminal', async () => {
  const { api, run } = await withAlert();
  await using _ = api;
  const { out, exitCode } = await run('--project', 'etl');
  assert.equal(exitCode, 0);
  assert.match(out, /firing .*etl +RunawayApplication .*312\.5 credits +above 300 credits +38/);
  assert.ok(!out.includes('\u001b'));
  assert.match((await run('--state', 'resolved')).out, /^no such alerts/);
  assert.deepEqual(JSON.parse((await run('--json')).out).alerts[0].id, 'a1');
});

test('one alert is told with its advice, evidence and history', async () => {
  const { api, run } = await withAlert();
  await using _ = api;
  const { out } = await run('a1');
  assert.match(out, /advice: look at its stages/);
  assert.match(out, /pending +firing +for 2m/);
  const missing = await run('nothing');
  assert.notEqual(missing.exitCode, 0);
  assert.match(missing.err, /there is no alert nothing/);
});

test('a silence is made for a time, listed, and ended', async () => {
  const { api, silence } = await withAlert();
  await using _ = api;
  const match = ['--match', 'alertname=RunawayApplication', 'team=~"da.*"'];
  const made = await silence('add', '-p', 'etl', ...match, '--for', '2h', '--comment', 'known');
  assert.equal(made.exitCode, 0, made.err);
  assert.match(made.out, /active +etl +alertname="RunawayApplication" team=~"da\.\*"/);
  const [stored] = await api.deps.silences.silences(0, { project: ETL });
  assert.equal(stored?.endsAt, api.clock.now() + 7_200_000);
  assert.match((await silence('list', '-p', 'etl')).out, /known/);
  assert.match((await silence('end', stored?.id ?? '')).out, /expired/);
});

test('what is no matcher or no duration is refused before anything is asked', async () => {
  const { api, silence } = await withAlert();
  await using _ = api;
  const bad = await silence('add', '--match', 'nonsense', '--for', '2h', '--comment', 'c');
  assert.match(bad.err, /“nonsense” is no matcher such as alertname=/);
  const long = await silence('add', '--match', 'a=b', '--for', 'ever', '--comment', 'c');
  assert.match(long.err, /--for ever is no duration/);
  assert.deepEqual(await api.deps.silences.silences(0), []);
});
