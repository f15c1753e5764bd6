import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../../shared/runtime/clock.ts';
import { openSqliteAlertStores } from '../../../shared/stores/sql/open-alert-stores.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { type HookAnswer, HookServer } from '../../../test/support/hook-server.ts';
import {
  aNotification,
  aResolvedNotification,
  FIRED_AT,
} from '../../../test/support/notification-builders.ts';
import { headerOf, SmtpRelay } from '../../../test/support/smtp-relay.ts';
import { Dispatcher } from './dispatcher.ts';
import { sendersConfig } from './senders/config.ts';
import { DialGuard } from './senders/dial-guard.ts';
import { openReceivers } from './senders/open-receivers.ts';

const { signal } = new AbortController();

/** One receiver with a Slack channel, a webhook and two addresses, all on servers of this test. */
async function aPlatform(web: HookServer, smtp: SmtpRelay) {
  const clock = new FakeClock(FIRED_AT);
  const stores = await openSqliteAlertStores({ file: ':memory:', clock });
  const root = web.url.origin;
  const config = sendersConfig.parse({
    dial: { allow: ['127.0.0.0/8'] },
    sendTimeoutMs: 300,
    slack: { token: 'xoxb-1', apiUrl: `${root}/api/` },
    mail: { host: '127.0.0.1', port: smtp.port, security: 'none', from: 'a@alerts.example.org' },
    receivers: [
      {
        name: 'data-eng',
        slack: [{ channel: '#alerts' }],
        webhooks: [{ url: `${root}/hook` }],
        mail: ['ana@example.org', 'gone@example.org'],
      },
    ],
  });
  const guard = new DialGuard(config.dial.allow);
  // Attempts end by real time, everything else happens by the test's.
  const receivers = openReceivers({ config, guard, clock: systemClock, readFile: () => '' });
  const start = (): Dispatcher =>
    new Dispatcher({
      outbox: stores.outbox,
      receivers,
      clock,
      random: () => 1,
      lease: undefined,
      pollMs: 500,
      metrics: new Metrics(),
      logger: silentLogger,
    });
  return { clock, stores, start };
}

test('an incident is told through faults of every kind, to the end', async () => {
  await using web = await HookServer.open();
  await using smtp = await SmtpRelay.open();
  const faults: HookAnswer[] = [
    { status: 429, headers: { 'retry-after': '20' }, text: '{"ok":false,"error":"ratelimited"}' },
    { status: 502 },
    { never: true },
    { cut: 'before' },
    { cut: 'within' },
  ];
  const left = { '/hook': [...faults], '/api/chat.postMessage': [...faults] };
  web.answer = ({ path }, count) => {
    const fault = left[path as keyof typeof left]?.shift();
    return fault ?? { text: JSON.stringify({ ok: true, channel: 'C1', ts: `1.${count}` }) };
  };
  let greylisted = 2;
  smtp.recipient = (address) => {
    if (address.startsWith('gone')) return { code: 550, text: '5.1.1 gone' };
    greylisted -= 1;
    return greylisted >= 0 ? { code: 451, text: '4.7.1 later' } : 'take';
  };
  const { clock, stores, start } = await aPlatform(web, smtp);
  await using _stores = stores;
  await stores.outbox.enqueue([aNotification(), aResolvedNotification({ at: FIRED_AT + 1_000 })]);
  for (let round = 0; round < 40; round += 1) {
    // Each round is a process of its own: what is known is what the outbox keeps.
    let isOver = false;
    const passing = start()
      .pass(signal)
      .finally(() => {
        isOver = true;
      });
    while (!isOver) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      await clock.advance(50);
    }
    await passing;
    await clock.advance(30_000);
    if ((await stores.outbox.status()).waiting === 0) break;
  }
  assert.equal((await stores.outbox.status()).waiting, 0);
  const outcomes = async (id: string): Promise<string[]> => {
    const kept = await stores.outbox.deliveries(id);
    const told = kept?.deliveries ?? [];
    return told
      .map(({ destination, outcome }) => `${destination.split(/[#@]/)[0]} ${outcome}`)
      .sort();
  };
  for (const id of ['n-1', 'n-2']) {
    assert.deepEqual(
      (await outcomes(id)).map((one) => one.replace(/:\d+\.\d+\.\d+\.\d+:\d+/, '')),
      ['mail:ana delivered', 'mail:gone refused', 'slack: delivered', 'webhook delivered'],
    );
  }
  const told = web.requests
    .filter(({ path }) => path === '/hook')
    .map(({ body }) => (JSON.parse(body) as { id: string }).id);
  assert.deepEqual(told.slice(-2), ['n-1', 'n-2'], 'the end comes last');
  const subjects = smtp.mails.map(({ raw }) => headerOf(raw, 'subject') ?? '');
  assert.deepEqual(
    subjects.map((subject) => /FIRING|RESOLVED/.exec(subject)?.[0]),
    ['FIRING', 'RESOLVED'],
  );
  assert.ok(web.requests.some(({ path }) => path === '/api/chat.update'));
});
