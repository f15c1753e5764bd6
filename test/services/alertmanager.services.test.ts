import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { AlertmanagerForwarder } from '../../services/alerter/notify/senders/alertmanager-forwarder.ts';
import { DialGuard } from '../../services/alerter/notify/senders/dial-guard.ts';
import { OutboundHttp } from '../../services/alerter/notify/senders/outbound-http.ts';
import { alertmanagerBody } from '../../services/alerter/notify/senders/webhook/alertmanager-body.ts';
import type { Alert } from '../../shared/contracts/alert.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { openSqliteAlertStores } from '../../shared/stores/sql/open-alert-stores.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { HookServer } from '../support/hook-server.ts';
import { aHostileNotification, aNotification, anAlert } from '../support/notification-builders.ts';
import { startAlertmanager } from './servers/alertmanager.ts';

const { signal } = new AbortController();

interface Listed {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}

interface HookBody {
  readonly status: string;
  readonly alerts: readonly Record<string, unknown>[];
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 300; i += 1) {
    const found = await look();
    if (found !== undefined) return found;
    await wait(50);
  }
  throw new Error(`${what} did not come within 15 s`);
}

test('a real Alertmanager takes all alerts, pages for them, and ends them', async () => {
  await using hook = await HookServer.open();
  await using alertmanager = await startAlertmanager(hook.url);
  await using stores = await openSqliteAlertStores({ file: ':memory:', clock: systemClock });
  const metrics = new Metrics();
  const forwarder = new AlertmanagerForwarder({
    alerts: stores.alerts,
    peers: [{ url: alertmanager.url, headers: {} }],
    http: new OutboundHttp({
      guard: new DialGuard(['127.0.0.0/8']),
      clock: systemClock,
      timeoutMs: 5_000,
    }),
    clock: systemClock,
    resendMs: 60_000,
    consoleUrl: 'https://tollgate.example.org',
    lease: undefined,
    metrics,
    logger: silentLogger,
  });
  const now = systemClock.now();
  const times = { activeSince: now - 60_000, firedAt: now - 30_000, evaluatedAt: now };
  const plain = anAlert({ id: 'plain', rule: 'Plain', ...times });
  const [hostileOne] = aHostileNotification().firing;
  assert.ok(hostileOne);
  const hostile: Alert = { ...hostileOne.alert, id: 'hostile', ...times };
  const many = Array.from({ length: 700 }, (_, i) =>
    anAlert({ id: `m${i}`, rule: 'Many', labels: { n: `${i}` }, ...times }),
  );
  const save = (alerts: readonly Alert[]): Promise<void> =>
    stores.alerts.save({ alerts, transitions: [], health: [] }, undefined);
  await save([plain, hostile, ...many]);
  await forwarder.forward(signal);
  await forwarder.forward(signal);
  const counts = Object.fromEntries(metrics.values('tollgate_alertmanager_forwards_total'));
  assert.deepEqual(
    counts,
    { '{outcome="delivered"}': 4 },
    'none is refused, hostile labels and all',
  );

  const listed = (await (
    await fetch(new URL('/api/v2/alerts', alertmanager.url))
  ).json()) as Listed[];
  assert.equal(listed.length, 702, 'an alert that is asserted again is the same alert');
  const found = listed.find(({ labels }) => labels['alertname'] === 'Plain');
  assert.equal(found?.labels['project'], 'etl');
  assert.equal(found?.annotations['cost_per_hour'], '38.5');

  const bodies = (): HookBody[] => hook.bodies as HookBody[];
  const about = (name: string, status: string) => async () =>
    bodies().find(
      (body) => body.status === status && JSON.stringify(body).includes(`"alertname":"${name}"`),
    );
  const firing = await until('the page', about('Plain', 'firing'));
  const own = alertmanagerBody(aNotification(), { consoleUrl: 'https://x' }).body as HookBody;
  const missing = Object.keys(firing).filter((key) => !Object.hasOwn(own, key));
  assert.deepEqual(missing, [], 'our webhook body has every field of a real one');
  const fields = Object.keys(firing.alerts[0] ?? {});
  assert.deepEqual(
    fields.filter((key) => !Object.hasOwn(own.alerts[0] ?? {}, key)),
    [],
  );

  await save([{ ...plain, state: 'resolved', endedAt: systemClock.now(), verdict: 'ok' }]);
  await forwarder.forward(signal);
  const ended = await until('the end', about('Plain', 'resolved'));
  assert.equal(ended.alerts[0]?.['status'], 'resolved');
});
