import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';
import type { Notification } from '../../../../../shared/contracts/notification.ts';
import { systemClock } from '../../../../../shared/runtime/clock.ts';
import { FakeClock } from '../../../../../test/support/fake-clock.ts';
import { type HookAnswer, HookServer } from '../../../../../test/support/hook-server.ts';
import {
  aHostileNotification,
  aLongNotification,
  aNotification,
  aResolvedNotification,
  FIRED_AT,
} from '../../../../../test/support/notification-builders.ts';
import { DialGuard } from '../dial-guard.ts';
import { OutboundHttp } from '../outbound-http.ts';
import { alertmanagerBody } from './alertmanager-body.ts';
import { opsgenieFormat } from './opsgenie-body.ts';
import { pagerdutyFormat } from './pagerduty-body.ts';
import { signWebhook } from './sign-webhook.ts';
import { tollgateBody } from './tollgate-body.ts';
import type { WebhookFormat } from './webhook-format.ts';
import { type WebhookOptions, WebhookSender } from './webhook-sender.ts';

const { signal } = new AbortController();
const NO_THREAD = { value: undefined, keep: async () => undefined };
const CONTEXT = { consoleUrl: 'https://tollgate.example.org' };
const FORMATS = {
  tollgate: tollgateBody,
  alertmanager: alertmanagerBody,
  pagerduty: pagerdutyFormat('R0UT1NG'),
  opsgenie: opsgenieFormat,
};

async function aWebhook(over: Partial<WebhookOptions> = {}) {
  const server = await HookServer.open();
  const clock = new FakeClock(FIRED_AT);
  const guard = new DialGuard(['127.0.0.0/8']);
  const http = new OutboundHttp({ guard, clock: systemClock, timeoutMs: 300 });
  const sender = new WebhookSender({
    kind: 'webhook',
    url: new URL('/hook?key=s3cret', server.url),
    format: tollgateBody,
    headers: {},
    account: '',
    secret: undefined,
    http,
    clock,
    ...CONTEXT,
    ...over,
  });
  const send = (n: Notification = aNotification()) => sender.send([n], NO_THREAD, signal);
  return {
    server,
    clock,
    sender,
    send,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test('a signature is that of Standard Webhooks, over id, time and body', () => {
  // The example of the specification's reference libraries.
  const signed = signWebhook('{"test": 2432232314}', {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    at: 1_614_265_330_000,
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  });
  assert.deepEqual(signed, {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('a body is signed anew at each attempt, and its id stays', async () => {
  await using hook = await aWebhook({ secret: 'a-long-signing-secret' });
  await hook.send();
  await hook.clock.advance(600_000);
  await hook.send();
  const [first, second] = hook.server.requests;
  assert.equal(first?.body, second?.body);
  assert.equal(first?.headers['webhook-id'], second?.headers['webhook-id']);
  assert.notEqual(first?.headers['webhook-timestamp'], second?.headers['webhook-timestamp']);
  const stamp = second?.headers['webhook-timestamp'];
  const mac = createHmac('sha256', 'a-long-signing-secret').update(`n-1.${stamp}.${second?.body}`);
  assert.equal(second?.headers['webhook-signature'], `v1,${mac.digest('base64')}`);
});

test('answers decide: a body at fault is refused, all else waits, as long as it is asked to', async () => {
  await using hook = await aWebhook();
  const outcomes: [HookAnswer, string][] = [
    ...[200, 202, 204].map((status): [HookAnswer, string] => [{ status }, 'delivered']),
    ...[400, 413, 422].map((status): [HookAnswer, string] => [{ status }, 'refused']),
    ...[301, 401, 403, 404, 408, 410, 429, 500, 502, 503].map((status): [HookAnswer, string] => [
      { status },
      'later',
    ]),
    [{ never: true }, 'later'],
    [{ cut: 'before' }, 'later'],
    [{ cut: 'within' }, 'later'],
  ];
  for (const [answer, outcome] of outcomes) {
    hook.server.answer = () => answer;
    const result = await hook.send();
    assert.equal(result.outcome, outcome, JSON.stringify(answer));
    assert.doesNotMatch(JSON.stringify(result), /s3cret/);
  }
  hook.server.answer = () => ({ status: 503, headers: { 'retry-after': '45' } });
  const asked = await hook.send();
  assert.equal(asked.outcome === 'later' && asked.retryAfterMs, 45_000);
});

test('bodies look as they did, hostile labels and all', (t) => {
  for (const format of Object.values(FORMATS)) {
    t.assert.snapshot(format(aNotification(), CONTEXT));
    t.assert.snapshot(format(aResolvedNotification(), CONTEXT));
    t.assert.snapshot(format(aHostileNotification(), CONTEXT));
  }
});

test('bodies stay within what the other side takes', () => {
  const pagerduty = FORMATS.pagerduty(aLongNotification(), CONTEXT);
  const size = JSON.stringify(pagerduty?.body).length;
  assert.ok(size < 512 * 1_024, `${size} bytes`);
  const opsgenie = opsgenieFormat(aHostileNotification(), CONTEXT)?.body as Record<string, string>;
  assert.ok((opsgenie['message'] ?? '').length <= 130);
  assert.ok((opsgenie['description'] ?? '').length <= 15_000);
});

test('an incident is opened, kept and closed under one key, of its receiver alone', () => {
  const field = (format: WebhookFormat, n: Notification, name: string): unknown =>
    (format(n, CONTEXT)?.body as Record<string, unknown> | undefined)?.[name];
  const key = (n: Notification): unknown => field(FORMATS.pagerduty, n, 'dedup_key');
  const alias = (n: Notification): unknown => field(opsgenieFormat, n, 'alias');
  assert.equal(key(aNotification()), key(aResolvedNotification()));
  assert.notEqual(key(aNotification()), key(aNotification({ receiver: 'other' })));
  assert.notEqual(key(aNotification()), key(aNotification({ groupKey: 'other' })));
  const close = opsgenieFormat(aResolvedNotification(), CONTEXT);
  assert.equal(close?.path, `${alias(aNotification())}/close?identifierType=alias`);
});

test('an Opsgenie alert is closed below its URL, and a notice opens none', async () => {
  await using hook = await aWebhook({ kind: 'opsgenie', format: opsgenieFormat });
  assert.deepEqual(await hook.send(aResolvedNotification()), { outcome: 'delivered' });
  assert.match(hook.server.requests[0]?.path ?? '', /^\/hook\/tollgate-[0-9a-f]{40}\/close\?ident/);
  const notice = aNotification({ firing: [], reason: 'silence-ended', text: 'It ended' });
  assert.equal((await hook.send(notice)).outcome, 'refused');
  assert.equal(hook.server.requests.length, 1);
});

test('the link that puts an action off goes to no incident manager', () => {
  for (const format of [FORMATS.pagerduty, FORMATS.opsgenie, FORMATS.alertmanager]) {
    assert.doesNotMatch(JSON.stringify(format(aNotification(), CONTEXT)), /5f3a/);
  }
});

test('two webhooks of one host are two destinations, and neither name tells a secret', async () => {
  await using one = await aWebhook();
  await using two = await aWebhook({ url: new URL('/hook?key=0ther', one.server.url) });
  assert.notEqual(one.sender.destination, two.sender.destination);
  assert.match(one.sender.destination, /^webhook:127\.0\.0\.1:\d+#[0-9a-f]{8}$/);
});
