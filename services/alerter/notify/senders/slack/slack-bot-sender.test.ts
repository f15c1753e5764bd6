import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../../../../shared/runtime/clock.ts';
import { type HookAnswer, HookServer } from '../../../../../test/support/hook-server.ts';
import {
  aNotification,
  aResolvedNotification,
} from '../../../../../test/support/notification-builders.ts';
import { DialGuard } from '../dial-guard.ts';
import { OutboundHttp } from '../outbound-http.ts';
import type { SendResult, Thread } from '../sender.ts';
import { SlackApi } from './slack-api.ts';
import { SlackBotSender } from './slack-bot-sender.ts';

const { signal } = new AbortController();

class KeptThread implements Thread {
  value: string | undefined;

  async keep(value: string): Promise<void> {
    this.value = value;
  }
}

interface SlackCall {
  readonly method: string;
  readonly body: Record<string, unknown>;
}

/** A bot in #alerts of a Slack that says `ok`, unless `answers` has something for the method. */
async function aSlack() {
  const server = await HookServer.open();
  const answers = new Map<string, HookAnswer[]>();
  server.answer = ({ path }, count) => {
    const scripted = answers.get(path.slice('/api/'.length))?.shift();
    return scripted ?? { text: JSON.stringify({ ok: true, channel: 'C1', ts: `1.${count}` }) };
  };
  const guard = new DialGuard(['127.0.0.0/8']);
  const http = new OutboundHttp({ guard, clock: systemClock, timeoutMs: 300 });
  const base = new URL('/api/', server.url);
  const api = new SlackApi({ base, token: 'xoxb-secret', http });
  const sender = new SlackBotSender({ api, channel: '#alerts', consoleUrl: '' });
  const thread = new KeptThread();
  return {
    server,
    thread,
    say: (method: string, ...given: HookAnswer[]) => answers.set(method, given),
    send: (n = aNotification()): Promise<SendResult> => sender.send([n], thread, signal),
    calls: (): SlackCall[] =>
      server.requests.map(({ path, body }) => ({
        method: path.slice('/api/'.length),
        body: JSON.parse(body) as Record<string, unknown>,
      })),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function error(name: string): HookAnswer {
  return { text: JSON.stringify({ ok: false, error: name }) };
}

const news = aNotification({ id: 'n-1b', reason: 'new-alerts-in-group' });
const delivered = { outcome: 'delivered' };

test('a group is posted once, updated in place, told in its thread, and ends there', async () => {
  await using slack = await aSlack();
  assert.deepEqual(await slack.send(), delivered);
  assert.deepEqual(await slack.send(news), delivered);
  assert.deepEqual(await slack.send(aResolvedNotification()), delivered);
  const calls = slack.calls();
  assert.deepEqual(
    calls.map(({ method, body }) => [method, body['channel'], body['ts'] ?? body['thread_ts']]),
    [
      ['chat.postMessage', '#alerts', undefined],
      ['chat.update', 'C1', '1.1'],
      ['chat.postMessage', 'C1', '1.1'],
      ['chat.update', 'C1', '1.1'],
      ['chat.postMessage', 'C1', '1.1'],
    ],
  );
  assert.equal(calls[2]?.body['reply_broadcast'], true, 'new alerts are seen in the channel');
  assert.equal(calls[4]?.body['reply_broadcast'], false, 'an end is quiet');
  assert.match(String(calls[3]?.body['text']), /^\[RESOLVED\]/);
  assert.equal(slack.server.requests[0]?.headers.authorization, 'Bearer xoxb-secret');

  await slack.send(aNotification({ id: 'n-3' }));
  assert.equal(slack.calls().at(-1)?.body['channel'], '#alerts', 'a new firing begins anew');
});

test('what Slack will not change any more is told whole in the thread', async () => {
  for (const name of ['edit_window_closed', 'cant_update_message']) {
    await using slack = await aSlack();
    await slack.send();
    slack.say('chat.update', error(name));
    assert.deepEqual(await slack.send(aResolvedNotification()), delivered);
    const last = slack.calls().at(-1);
    assert.equal(last?.body['thread_ts'], '1.1');
    assert.match(JSON.stringify(last?.body['blocks']), /mrkdwn/);
  }
});

test('a message that somebody deleted begins again', async () => {
  await using slack = await aSlack();
  await slack.send();
  slack.say('chat.update', error('message_not_found'));
  assert.deepEqual(await slack.send(news), delivered);
  assert.equal(slack.calls().at(-1)?.body['channel'], '#alerts');
  assert.match(slack.thread.value ?? '', /"ts":"1\.3"/);
});

test('blocks that Slack cannot read are left out, and the page still comes', async () => {
  await using slack = await aSlack();
  slack.say('chat.postMessage', error('msg_blocks_too_long'));
  assert.deepEqual(await slack.send(), delivered);
  assert.deepEqual(slack.calls()[1]?.body['blocks'], []);
  slack.thread.value = undefined;
  slack.say('chat.postMessage', error('invalid_blocks'), error('msg_too_long'));
  const refused = await slack.send();
  assert.deepEqual(refused, { outcome: 'refused', why: 'Slack says msg_too_long' });
});

test('429 waits as long as Slack asks; faults and cut connections wait too', async () => {
  await using slack = await aSlack();
  const limited = { status: 429, headers: { 'retry-after': '30' }, text: '{"ok":false}' };
  slack.say('chat.postMessage', limited);
  const later = await slack.send();
  assert.deepEqual(later, {
    outcome: 'later',
    why: 'answers 429: too many messages',
    retryAfterMs: 30_000,
  });
  for (const answer of [
    ...[{ status: 503, text: 'down' }, { never: true }, { cut: 'before' }, { cut: 'within' }],
    ...[
      { text: 'no json' },
      error('invalid_auth'),
      error('channel_not_found'),
      error('fatal_error'),
    ],
  ] as HookAnswer[]) {
    slack.say('chat.postMessage', answer);
    const result = await slack.send();
    assert.equal(result.outcome, 'later', JSON.stringify(answer));
    assert.doesNotMatch(JSON.stringify(result), /xoxb/);
  }
  assert.equal(slack.thread.value, undefined);
});

test('an update that worked and a note that did not are both tried again', async () => {
  await using slack = await aSlack();
  await slack.send();
  slack.say('chat.postMessage', { status: 500, text: 'x' });
  assert.equal((await slack.send(aResolvedNotification())).outcome, 'later');
  assert.deepEqual(await slack.send(aResolvedNotification()), delivered);
  assert.match(slack.thread.value ?? '', /"isOver":true/);
});

test('an announcement is told whole, where the channel sees it', async () => {
  await using slack = await aSlack();
  await slack.send();
  await slack.send(aNotification({ id: 'n-4', reason: 'announcement' }));
  const last = slack.calls().at(-1);
  assert.equal(last?.body['reply_broadcast'], true);
  assert.match(JSON.stringify(last?.body['blocks']), /stops the application/);
});
