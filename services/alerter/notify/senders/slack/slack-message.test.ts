import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  aHostileNotification,
  aLongNotification,
  aNotification,
  anAlert,
  aResolvedNotification,
} from '../../../../../test/support/notification-builders.ts';
import { describeNotification } from '../message/describe-notification.ts';
import { type SlackMessage, slackMessage } from './slack-message.ts';
import { slackText } from './slack-text.ts';

const CONSOLE = 'https://tollgate.example.org';

function textsOf({ blocks, text }: SlackMessage): string[] {
  return [
    text,
    ...blocks.flatMap((block) =>
      block.type === 'section'
        ? [block.text.text]
        : block.type === 'context'
          ? block.elements.map((element) => element.text)
          : [],
    ),
  ];
}

function messageOf(notification: Parameters<typeof describeNotification>[0]): SlackMessage {
  return slackMessage(describeNotification(notification, CONSOLE));
}

test('a page says state, severity, project, value, limit, cost, consequence and how to stop it', () => {
  const message = messageOf(aNotification());
  const all = textsOf(message).join('\n');
  for (const part of [
    ...['firing', 'critical', 'etl', 'nightly-load has cost 412 credits', '412.3 credits'],
    ...['limit: above 180 credits', '2026-11-21 08:55 UTC', '38.5 credits an hour'],
    ...['412.25 credits so far', 'stops the application at 2026-11-21 09:14 UTC'],
    ...[
      'tollgate enforce extend act-1',
      '<https://runbooks.example.org/RunawayApplication|Runbook>',
    ],
    ...['<https://tollgate.example.org/extend/act-1?key=5f3a|Put it off>', 'Look at stage 7'],
  ]) {
    assert.ok(all.includes(part), `${part} is missing in\n${all}`);
  }
  assert.equal(
    message.text,
    '[FIRING] critical · etl · nightly-load has cost 412 credits, its median is 90',
  );
});

test('messages look as they did', (t) => {
  t.assert.snapshot(messageOf(aNotification()));
  t.assert.snapshot(messageOf(aResolvedNotification()));
  t.assert.snapshot(messageOf(aHostileNotification()));
  const gone = anAlert({ state: 'gone', endedAt: anAlert().evaluatedAt });
  const over = { ended: [{ alert: gone, consequences: [] }] };
  t.assert.snapshot(messageOf(aResolvedNotification(over)).text);
  const notice = { firing: [], reason: 'silence-ended' as const, text: 'Silence 7 has ended' };
  t.assert.snapshot(messageOf(aNotification(notice)));
});

test('a long list is folded within what Slack takes', () => {
  const message = messageOf(aLongNotification());
  assert.ok(message.blocks.length <= 50);
  assert.ok(JSON.stringify(message.blocks).length <= 10_500);
  for (const text of textsOf(message)) assert.ok(text.length <= 3_000);
  const sections = message.blocks.filter(({ type }) => type === 'section').length - 1;
  assert.ok(textsOf(message).some((text) => text.includes(`+${5_000 - sections} more`)));
});

test('no text of a tenant reaches Slack as markup', () => {
  const markup = fc.constantFrom(
    '<!channel>',
    '<@U1>',
    '*b*',
    '_i_',
    '~s~',
    '`c`',
    '&lt;',
    '<',
    'a_b',
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(markup, fc.string({ maxLength: 8 })), { maxLength: 6 }),
      (parts) => {
        const shown = slackText(parts.join(''));
        assert.doesNotMatch(shown, /[<>*~`]/);
        assert.doesNotMatch(shown, /&(?!amp;|lt;|gt;)/);
        assert.doesNotMatch(shown, /(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/u);
      },
    ),
  );
});

test('ids stay as they are, so that they can be copied', () => {
  assert.equal(slackText('application_1763700000000_0042'), 'application_1763700000000_0042');
  assert.equal(slackText('a & b < c'), 'a &amp; b &lt; c');
});

test('whatever alerts hold, only our own links and no mention are in a message', () => {
  const all = textsOf(messageOf(aHostileNotification())).join('\n');
  const tags = all.match(/<[^>]*>/g) ?? [];
  assert.deepEqual(tags, ['<https://tollgate.example.org/extend/act-1?key=5f3a|Put it off>']);
  for (const char of ['\u202e', '\u2066', '\u0000', '\u001b']) assert.ok(!all.includes(char));
});
