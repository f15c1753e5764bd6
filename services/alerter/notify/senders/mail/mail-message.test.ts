import assert from 'node:assert/strict';
import test from 'node:test';
import {
  aHostileNotification,
  aLongNotification,
  aNotification,
  aResolvedNotification,
  HOSTILE_TEXTS,
} from '../../../../../test/support/notification-builders.ts';
import type { Batch } from '../sender.ts';
import { mailMessage } from './mail-message.ts';

const SETUP = {
  to: 'ops@example.org',
  domain: 'alerts.example.org',
  consoleUrl: 'https://tollgate.example.org',
};

function messageOf(...batch: Batch) {
  return mailMessage(batch, SETUP, undefined);
}

test('both parts say state, severity, project, value, limit, cost, consequence and how to stop it', () => {
  const { text, html, subject } = messageOf(aNotification());
  assert.equal(
    subject,
    '[FIRING] critical · etl · nightly-load has cost 412 credits, its median is 90',
  );
  for (const part of [
    ...['firing', 'critical', 'etl', 'RunawayApplication', '412.3 credits', 'above 180 credits'],
    ...['2026-11-21 08:55 UTC', '38.5 credits an hour', '412.25 credits so far'],
    ...['stops the application at 2026-11-21 09:14 UTC', 'tollgate enforce extend act-1'],
    ...['https://runbooks.example.org/RunawayApplication', 'Look at stage 7'],
    ...['https://tollgate.example.org/extend/act-1?key=5f3a', 'https://tollgate.example.org'],
  ]) {
    assert.ok(text.includes(part), `the text lacks ${part}`);
    assert.ok(html.includes(part), `the HTML lacks ${part}`);
  }
});

test('mails look as they did', (t) => {
  t.assert.snapshot(messageOf(aNotification()).text);
  t.assert.snapshot(messageOf(aHostileNotification()).text);
  t.assert.snapshot(messageOf(aNotification(), aResolvedNotification()).text);
  t.assert.snapshot(messageOf(aNotification()).html);
  t.assert.snapshot(messageOf(aHostileNotification()).html);
});

test('whatever labels hold, the HTML has no element, attribute or link of theirs', () => {
  const { html } = messageOf(aHostileNotification());
  const tags = new Set((html.match(/<[a-z!/][^\s>]*/g) ?? []).map((tag) => tag.replace('</', '<')));
  assert.deepEqual([...tags].sort(), [
    ...['<!doctype', '<a', '<body', '<div', '<h2', '<head', '<html', '<meta', '<p', '<span'],
    ...['<table', '<td', '<title', '<tr'],
  ]);
  const links = html.match(/href="[^"]*"/g) ?? [];
  assert.deepEqual(links, [
    'href="https://tollgate.example.org/extend/act-1?key=5f3a"',
    'href="https://tollgate.example.org"',
  ]);
  assert.doesNotMatch(html, / on[a-z]+=["']/);
});

test('subjects and headers are one line, whatever they are made of', () => {
  const { subject, headers, messageId } = messageOf(aHostileNotification());
  for (const line of [subject, messageId, ...Object.values(headers)]) {
    assert.doesNotMatch(line, /[\r\n]/);
  }
  const long = messageOf(aNotification({ firing: [], text: HOSTILE_TEXTS.long }));
  assert.ok(long.subject.length <= 180);
});

test('a digest of many long messages stays a mail that can be read', () => {
  const batch = Array.from({ length: 50 }, (_, i) => aLongNotification().firing.slice(0, i + 1));
  const [first, ...rest] = batch.map((firing, i) => aNotification({ id: `d${i}`, firing }));
  assert.ok(first);
  const { html, text } = messageOf(first, ...rest);
  assert.ok(html.length < 600_000, `${html.length} characters of HTML`);
  assert.ok(text.length < 200_000, `${text.length} characters of text`);
  assert.match(text, /\+48 more/);
});

test('a Message-Id follows from what is told and to whom', () => {
  const of = (id: string, to: string) =>
    mailMessage([aNotification({ id })], { ...SETUP, to }, undefined).messageId;
  assert.equal(of('a', 'x@e.org'), of('a', 'x@e.org'));
  assert.equal(new Set([of('a', 'x@e.org'), of('b', 'x@e.org'), of('a', 'y@e.org')]).size, 3);
});
