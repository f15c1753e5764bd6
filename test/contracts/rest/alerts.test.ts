import assert from 'node:assert/strict';
import test from 'node:test';
import {
  restAlertHistory,
  restAlerts,
  restRuleHealth,
  restSilence,
  restSilences,
} from '../../../shared/contracts/rest-alerts.ts';
import { formatInstant, HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { anAlert } from '../../support/alert-builders.ts';
import { SAMPLE_HOUR } from '../../support/api-samples.ts';
import { askingApi } from '../../support/asking-api.ts';

const ETL = 'etl' as ProjectId;
const ADS = 'ads' as ProjectId;

async function withAlerts() {
  const api = await askingApi();
  const now = api.clock.now();
  const health = {
    ...{ rule: 'QuotaLow', ruleVersion: 'v1', evaluatedAt: now, outcome: 'error' as const },
    ...{ why: 'the ledger does not answer', durationMs: 3 },
  };
  await api.deps.alerts.save(
    {
      alerts: [
        anAlert('a1', { project: ETL, state: 'firing', activeSince: now, evaluatedAt: now }),
        anAlert('a2', { project: ADS, state: 'pending', activeSince: now + 1, evaluatedAt: now }),
        anAlert('a3', {
          project: undefined,
          state: 'firing',
          activeSince: now + 2,
          evaluatedAt: now,
        }),
      ],
      transitions: [
        { alert: 'a1', episode: 1, at: now, from: 'pending', to: 'firing', why: 'for 2 minutes' },
      ],
      health: [health],
    },
    undefined,
  );
  return { api, now };
}

test('alerts are told to whom they belong, and all of them to who sees all projects', async () => {
  const { api } = await withAlerts();
  await using _ = api;
  const ids = async (path: string) =>
    (await api.get(path, restAlerts)).alerts.map(({ id }) => id).sort();
  assert.deepEqual(await ids('/v1/alerts'), ['a1', 'a2', 'a3']);
  assert.deepEqual(await ids('/v1/alerts?state=firing'), ['a1', 'a3']);
  assert.deepEqual(await ids('/v1/projects/etl/alerts'), ['a1']);
  assert.equal((await api.ask('/v1/alerts?state=dead')).status, 400);
  const { alert, transitions } = await api.get('/v1/alerts/a1', restAlertHistory);
  assert.equal(alert.project, 'etl');
  assert.deepEqual(
    transitions.map(({ from, to, why }) => [from, to, why]),
    [['pending', 'firing', 'for 2 minutes']],
  );
  const { rules } = await api.get('/v1/alert-rules', restRuleHealth);
  assert.deepEqual(
    rules.map(({ rule, why }) => [rule, why]),
    [['QuotaLow', 'the ledger does not answer']],
  );
});

test('a foreign alert and the platform’s own are not there for a token of one project', async () => {
  const { api } = await withAlerts();
  await using _ = api;
  const token = await api.token(['read'], { projects: ['etl'] });
  const status = async (path: string) =>
    (await api.ask(path, { headers: { authorization: `Bearer ${token}` } })).status;
  assert.equal(await status('/v1/alerts/a1'), 200);
  for (const foreign of ['a2', 'a3', 'nothing']) {
    assert.equal(await status(`/v1/alerts/${foreign}`), 404, foreign);
  }
  assert.equal(await status('/v1/projects/ads/alerts'), 404);
  assert.equal(await status('/v1/alerts'), 403);
  assert.equal(await status('/v1/alert-rules'), 403);
  assert.equal(await status('/v1/silences'), 403);
  assert.equal(await status('/v1/projects/etl/silences'), 200);
});

test('a silence is made once, is listed with its state, and ends when it is told to', async () => {
  await using api = await askingApi({ deps: {} });
  const endsAt = formatInstant(SAMPLE_HOUR + 4 * HOUR_MS);
  const body = {
    id: 's1',
    matchers: [{ name: 'alertname', value: 'StreamStalled' }],
    comment: 'maintenance of the broker',
    endsAt,
  };
  const made = await api.postOk('/v1/projects/etl/silences', body, restSilence);
  assert.deepEqual([made.project, made.state, made.endsAt], ['etl', 'active', endsAt]);
  assert.deepEqual(made.matchers[0]?.isEqual, true);
  await api.clock.advance(1_000);
  const again = await api.postOk('/v1/projects/etl/silences', body, restSilence);
  assert.equal(again.startsAt, made.startsAt, 'sent again, it is the same one');
  const other = await api.post('/v1/projects/etl/silences', { ...body, comment: 'other' });
  assert.equal((await api.problem(other)).code, 'CONFLICT');
  await api.clock.advance(MINUTE_MS);
  const ended = await api.postOk('/v1/silences/s1/end', undefined, restSilence);
  assert.deepEqual([ended.state, ended.endsAt], ['expired', formatInstant(api.clock.now())]);
  const { silences } = await api.get('/v1/projects/etl/silences', restSilences);
  assert.deepEqual(
    silences.map(({ id, state }) => [id, state]),
    [['s1', 'expired']],
  );
  assert.deepEqual((await api.get('/v1/projects/ads/silences', restSilences)).silences, []);
});

test('a silence without an end ahead, without a matcher or a comment is refused with the reason', async () => {
  await using api = await askingApi();
  const endsAt = formatInstant(api.clock.now() + HOUR_MS);
  const matchers = [{ name: 'alertname', value: 'x' }];
  for (const [body, says] of [
    [{ id: 's', matchers, comment: 'c', endsAt: 'tomorrow' }, /endsAt/],
    [{ id: 's', matchers, comment: 'c', endsAt: formatInstant(api.clock.now()) }, /endsAt/],
    [{ id: 's', matchers: [], comment: 'c', endsAt }, /matchers/],
    [{ id: 's', matchers, comment: ' ', endsAt }, /comment/],
  ] as const) {
    const problem = await api.problem(api.post('/v1/silences', body));
    assert.equal(problem.status, 400);
    assert.match(JSON.stringify(problem), says);
  }
  assert.deepEqual((await api.get('/v1/silences', restSilences)).silences, []);
});
