import assert from 'node:assert/strict';
import test from 'node:test';
import { makeAuthority } from '../../../../../test/support/certificates.ts';
import {
  aHostileNotification,
  aNotification,
  aResolvedNotification,
} from '../../../../../test/support/notification-builders.ts';
import { temporaryFolder } from '../../../../../test/support/running-tollgate.ts';
import { headerOf, SmtpRelay } from '../../../../../test/support/smtp-relay.ts';
import type { Batch, SendResult, Thread } from '../sender.ts';
import { MailRelay, type MailRelayOptions } from './mail-relay.ts';
import { MailSender } from './mail-sender.ts';

const { signal } = new AbortController();

class KeptThread implements Thread {
  value: string | undefined;

  async keep(value: string): Promise<void> {
    this.value = value;
  }
}

function aMailer(port: number, over: Partial<MailRelayOptions> = {}) {
  const relay = new MailRelay({
    host: '127.0.0.1',
    port,
    security: 'none',
    user: undefined,
    password: undefined,
    ca: undefined,
    from: 'Tollgate <tollgate@alerts.example.org>',
    timeoutMs: 2_000,
    ...over,
  });
  const thread = new KeptThread();
  const send = (
    batch: Batch = [aNotification()],
    to = 'ops@example.org',
    stop = signal,
  ): Promise<SendResult> => {
    const domain = 'alerts.example.org';
    const consoleUrl = 'https://tollgate.example.org';
    return new MailSender({ relay, to, domain, consoleUrl }).send(batch, thread, stop);
  };
  return { send, thread };
}

test('a mail has both parts, and headers by which people and machines file it', async () => {
  await using server = await SmtpRelay.open();
  assert.deepEqual(await aMailer(server.port).send(), { outcome: 'delivered' });
  const [mail] = server.mails;
  assert.ok(mail);
  assert.deepEqual([mail.from, mail.to], ['tollgate@alerts.example.org', ['ops@example.org']]);
  const header = (name: string): string => headerOf(mail.raw, name) ?? '';
  assert.match(header('subject'), /FIRING/);
  assert.match(header('message-id'), /^<[0-9a-f]{40}@alerts\.example\.org>$/);
  assert.equal(header('list-id'), '<etl.alerts.alerts.example.org>');
  assert.equal(header('auto-submitted'), 'auto-generated');
  assert.equal(header('x-auto-response-suppress'), 'All');
  assert.equal(header('importance'), 'high');
  assert.match(header('content-type'), /^multipart\/alternative/);
  const parts = mail.raw.match(/Content-Type: text\/(plain|html)/g);
  assert.deepEqual(parts, ['Content-Type: text/plain', 'Content-Type: text/html']);
});

test('mails of a group are one conversation, whose end ends it; a repeat is the same mail', async () => {
  await using server = await SmtpRelay.open();
  const { send } = aMailer(server.port);
  const again = aNotification({ id: 'n-1b', reason: 'repeat-interval-elapsed' });
  await send();
  await send();
  await send([again]);
  await send([aResolvedNotification()]);
  await send([aNotification({ id: 'n-3' })]);
  const ids = server.mails.map(({ raw }) => headerOf(raw, 'message-id'));
  const references = server.mails.map(({ raw }) => headerOf(raw, 'references'));
  assert.equal(ids[0], ids[1]);
  assert.equal(new Set(ids).size, 4);
  assert.deepEqual(references, [undefined, undefined, ids[0], ids[0], undefined]);
});

test('an address that is refused is told; greylisting and a full relay wait', async () => {
  await using server = await SmtpRelay.open();
  server.recipient = (address) => {
    if (address.startsWith('nobody')) return { code: 550, text: '5.1.1 no such user' };
    if (address.startsWith('grey')) return { code: 451, text: '4.7.1 greylisted, try later' };
    return 'take';
  };
  const { send } = aMailer(server.port);
  const refused = await send(undefined, 'nobody@example.org');
  assert.equal(refused.outcome, 'refused');
  assert.match(JSON.stringify(refused), /550 .*no such user/);
  const grey = await send(undefined, 'grey@example.org');
  assert.equal(grey.outcome, 'later');
  assert.match(JSON.stringify(grey), /451 .*greylisted/);
  assert.deepEqual(await send(), { outcome: 'delivered' });
  server.data = () => ({ code: 452, text: '4.3.1 disk full' });
  assert.equal((await send()).outcome, 'later');
  server.data = () => ({ code: 554, text: '5.7.1 looks like spam' });
  assert.equal((await send()).outcome, 'refused');
});

test('a connection that drops after DATA is tried again with the same Message-Id', async () => {
  await using server = await SmtpRelay.open();
  const { send, thread } = aMailer(server.port);
  server.data = () => 'drop';
  assert.equal((await send()).outcome, 'later');
  assert.equal(thread.value, undefined);
  server.data = () => 'take';
  assert.deepEqual(await send(), { outcome: 'delivered' });
  const ids = server.mails.map(({ raw }) => headerOf(raw, 'message-id'));
  assert.equal(ids.length, 2);
  assert.equal(ids[0], ids[1]);
});

test('a relay that is not there, or does not speak, waits', async () => {
  assert.equal((await aMailer(1).send()).outcome, 'later');
  const { createServer } = await import('node:net');
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { send } = aMailer(port, { timeoutMs: 150 });
  assert.equal((await send()).outcome, 'later');
  const stop = new AbortController();
  const stopped = aMailer(port).send(undefined, undefined, stop.signal);
  setTimeout(() => stop.abort(new Error('stopping')), 20);
  await assert.rejects(stopped, /stopping/);
  silent.close();
});

test('without STARTTLS nothing is sent, nor to a relay whose certificate nobody knows', async () => {
  await using folder = await temporaryFolder();
  const authority = await makeAuthority(folder.path);
  const { cert, key } = await authority.sign('relay');
  await using plain = await SmtpRelay.open();
  assert.equal((await aMailer(plain.port, { security: 'starttls' }).send()).outcome, 'later');
  assert.equal(plain.mails.length, 0);

  let password = '';
  await using server = await SmtpRelay.open({
    cert,
    key,
    authOptional: false,
    onAuth: (auth, _session, done) => {
      password = String(auth.password);
      if (auth.password === 'right') done(null, { user: auth.username });
      else done(Object.assign(new Error('5.7.8 bad credentials'), { responseCode: 535 }));
    },
  });
  const secure = { security: 'starttls' as const, user: 'tollgate', password: 'right' };
  const unknown = await aMailer(server.port, secure).send();
  assert.equal(unknown.outcome, 'later');
  assert.equal(password, '', 'the password waits for the certificate');
  const wrong = await aMailer(server.port, {
    ...secure,
    ca: authority.ca,
    password: 'wr0ng',
  }).send();
  assert.equal(wrong.outcome, 'later', 'a person can mend a password');
  assert.doesNotMatch(JSON.stringify(wrong), /wr0ng/);
  const right = await aMailer(server.port, { ...secure, ca: authority.ca }).send();
  assert.deepEqual(right, { outcome: 'delivered' });
  assert.equal(server.mails[0]?.isEncrypted, true);
});

test('hostile text adds no recipient, no header and no second mail', async () => {
  await using server = await SmtpRelay.open();
  assert.deepEqual(await aMailer(server.port).send([aHostileNotification()]), {
    outcome: 'delivered',
  });
  const [mail] = server.mails;
  assert.ok(mail);
  assert.equal(server.mails.length, 1);
  assert.deepEqual(server.asked, ['ops@example.org']);
  assert.equal(headerOf(mail.raw, 'bcc'), undefined);
  const markup = mail.raw.slice(mail.raw.indexOf('Content-Type: text/html')).replace(/=\r\n/g, '');
  assert.ok(!markup.includes('<script') && !markup.includes('<img'), 'the HTML part is escaped');
});

test('a digest is one mail with all that waited, under one project if it is one', async () => {
  await using server = await SmtpRelay.open();
  const ended = aResolvedNotification({ groupKey: 'other' });
  await aMailer(server.port).send([aNotification(), ended]);
  const [mail] = server.mails;
  assert.ok(mail);
  assert.match(headerOf(mail.raw, 'subject') ?? '', /DIGEST/);
  assert.equal(headerOf(mail.raw, 'list-id'), '<etl.alerts.alerts.example.org>');
});
