import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../../../../shared/runtime/clock.ts';
import { HookServer } from '../../../../../test/support/hook-server.ts';
import { aNotification } from '../../../../../test/support/notification-builders.ts';
import { DialGuard } from '../dial-guard.ts';
import { OutboundHttp } from '../outbound-http.ts';
import { SlackWebhookSender } from './slack-webhook-sender.ts';

const { signal } = new AbortController();
const NO_THREAD = { value: undefined, keep: async () => undefined };

async function aHook() {
  const server = await HookServer.open();
  const guard = new DialGuard(['127.0.0.0/8']);
  const http = new OutboundHttp({ guard, clock: systemClock, timeoutMs: 300 });
  const url = new URL('/services/T0/B0/s3cret', server.url);
  const sender = new SlackWebhookSender({ url, http, consoleUrl: 'https://t.example.org' });
  return {
    server,
    sender,
    send: () => sender.send([aNotification()], NO_THREAD, signal),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test('an incoming webhook gets text for push messages and blocks', async () => {
  await using hook = await aHook();
  assert.deepEqual(await hook.send(), { outcome: 'delivered' });
  const [body] = hook.server.bodies as { text: string; blocks: unknown[]; unfurl_links: boolean }[];
  assert.match(body?.text ?? '', /^\[FIRING\] critical · etl/);
  assert.ok((body?.blocks.length ?? 0) > 1);
  assert.equal(body?.unfurl_links, false);
  assert.doesNotMatch(hook.sender.destination, /s3cret/);
});

test('blocks that cannot be read are left out; a payload that cannot is refused', async () => {
  await using hook = await aHook();
  hook.server.answer = (_, count) => (count === 1 ? { status: 400, text: 'invalid_blocks' } : {});
  assert.deepEqual(await hook.send(), { outcome: 'delivered' });
  assert.equal((hook.server.bodies[1] as { blocks?: unknown }).blocks, undefined);
  hook.server.answer = () => ({ status: 400, text: 'invalid_payload' });
  assert.deepEqual(await hook.send(), { outcome: 'refused', why: 'answers 400: invalid_payload' });
});

test('429, faults and an archived channel wait', async () => {
  await using hook = await aHook();
  hook.server.answer = () => ({
    status: 429,
    headers: { 'retry-after': '12' },
    text: 'rate_limited',
  });
  assert.deepEqual(await hook.send(), {
    outcome: 'later',
    why: 'answers 429: rate_limited',
    retryAfterMs: 12_000,
  });
  for (const status of [302, 403, 404, 410, 500, 503]) {
    hook.server.answer = () => ({ status, text: 'channel_is_archived' });
    assert.equal((await hook.send()).outcome, 'later', String(status));
  }
});
