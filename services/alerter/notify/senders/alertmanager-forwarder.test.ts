import assert from 'node:assert/strict';
import test from 'node:test';
import type { Alert } from '../../../../shared/contracts/alert.ts';
import { systemClock } from '../../../../shared/runtime/clock.ts';
import { openSqliteAlertStores } from '../../../../shared/stores/sql/open-alert-stores.ts';
import { silentLogger } from '../../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../../shared/telemetry/metrics.ts';
import { FakeClock } from '../../../../test/support/fake-clock.ts';
import { HookServer } from '../../../../test/support/hook-server.ts';
import { anAlert, FIRED_AT } from '../../../../test/support/notification-builders.ts';
import { AlertmanagerForwarder } from './alertmanager-forwarder.ts';
import { DialGuard } from './dial-guard.ts';
import { OutboundHttp } from './outbound-http.ts';

const { signal } = new AbortController();

async function aForwarder(alerts: readonly Alert[], peers: readonly HookServer[]) {
  const clock = new FakeClock(FIRED_AT);
  const stores = await openSqliteAlertStores({ file: ':memory:', clock });
  await stores.alerts.save({ alerts, transitions: [], health: [] }, undefined);
  const guard = new DialGuard(['127.0.0.0/8']);
  const metrics = new Metrics();
  const forwarder = new AlertmanagerForwarder({
    alerts: stores.alerts,
    peers: peers.map(({ url }) => ({ url: new URL('/am/', url), headers: { 'x-scope': 'a' } })),
    http: new OutboundHttp({ guard, clock: systemClock, timeoutMs: 2_000 }),
    clock,
    resendMs: 60_000,
    consoleUrl: 'https://tollgate.example.org',
    lease: undefined,
    metrics,
    logger: silentLogger,
  });
  return { forwarder, clock, metrics, stores };
}

interface Posted {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly startsAt: string;
  readonly endsAt: string;
}

test('firing alerts are asserted again and again, ended ones for a while, others never', async () => {
  await using server = await HookServer.open();
  const { forwarder, clock } = await aForwarder(
    [
      anAlert({
        id: 'f',
        labels: { 'spark.app-id': 'x', spark_app_id: 'y', empty: '', '1st': 'z' },
      }),
      anAlert({ id: 'p', state: 'pending', firedAt: undefined }),
      anAlert({ id: 'e', rule: 'Ended', state: 'gone', endedAt: FIRED_AT - 60_000 }),
    ],
    [server],
  );
  await forwarder.forward(signal);
  const [first] = server.bodies as Posted[][];
  assert.equal(server.requests[0]?.path, '/am/api/v2/alerts');
  assert.equal(server.requests[0]?.headers['x-scope'], 'a');
  const firing = first?.find(({ labels }) => labels['alertname'] === 'RunawayApplication');
  assert.deepEqual(firing?.labels, {
    spark_app_id: 'x',
    spark_app_id_2: 'y',
    _1st: 'z',
    alertname: 'RunawayApplication',
    severity: 'critical',
    project: 'etl',
  });
  assert.equal(firing?.startsAt, '2026-11-21T09:00:00.000Z');
  assert.equal(firing?.endsAt, '2026-11-21T09:04:00.000Z');
  assert.equal(firing?.annotations['cost_per_hour'], '38.5');
  const gone = first?.find(({ labels }) => labels['alertname'] === 'Ended');
  assert.deepEqual(
    [gone?.endsAt, gone?.annotations['state']],
    ['2026-11-21T08:59:00.000Z', 'gone'],
  );
  assert.equal(first?.length, 2);
  await clock.advance(16 * 60_000);
  await forwarder.forward(signal);
  const second = (server.bodies as Posted[][])[1];
  assert.deepEqual(
    second?.map(({ endsAt }) => endsAt),
    ['2026-11-21T09:20:00.000Z'],
  );
});

test('many alerts go in several requests, and one Alertmanager that fails delays no other', async () => {
  await using up = await HookServer.open();
  await using down = await HookServer.open();
  down.answer = () => ({ status: 500 });
  const many = Array.from({ length: 1_100 }, (_, i) =>
    anAlert({ id: `a${i}`, labels: { n: `${i}` } }),
  );
  const { forwarder, metrics } = await aForwarder(many, [down, up]);
  await forwarder.forward(signal);
  assert.deepEqual(
    (up.bodies as unknown[][]).map(({ length }) => length),
    [500, 500, 100],
  );
  assert.equal(down.requests.length, 1);
  const counts = Object.fromEntries(metrics.values('tollgate_alertmanager_forwards_total'));
  assert.deepEqual(counts, { '{outcome="later"}': 1, '{outcome="delivered"}': 3 });
});
