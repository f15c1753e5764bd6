import assert from 'node:assert/strict';
import test from 'node:test';
import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import { LineSender } from './line-sender.ts';

type Said = readonly [status: number, text: string] | 'away';

class Waits implements Clock {
  time = 0;
  readonly waits: number[] = [];
  now = (): number => this.time;
  elapsed = (): number => this.time;
  sleep(ms: number): Promise<void> {
    this.waits.push(ms);
    this.time += ms;
    return Promise.resolve();
  }
}

function senderOf(said: readonly Said[], closing = new AbortController()) {
  const clock = new Waits();
  const sent: string[] = [];
  const connection = {
    write(policy: string, lines: string) {
      const answer = said[Math.min(sent.length, said.length - 1)] ?? [204, ''];
      sent.push(`${policy} ${lines}`);
      if (answer === 'away') return Promise.reject(this.unavailable("can't be reached"));
      return Promise.resolve({ status: answer[0], text: answer[1], version: '' });
    },
    full: () => new AppError('DISK_FULL', 'no room'),
    unavailable: (what: string) => new AppError('STORE_UNAVAILABLE', what),
    misconfigured: (what: string) => new AppError('STORE_MISCONFIGURED', what),
  };
  const deps = { connection, clock, random: () => 0.5, retryMs: 1_000 };
  return { sender: new LineSender(deps, closing.signal), clock, sent };
}

test('what may be stored or not is sent again, with longer and longer waits', async () => {
  const said: Said[] = [
    [500, '{"error":"timeout"}'],
    'away',
    [503, ''],
    [429, ''],
    [500, 'unexpected error writing points to database: timeout'],
    [204, ''],
  ];
  const { sender, clock, sent } = senderOf(said);
  assert.equal(await sender.send('raw', 'm f=1 1'), undefined);
  assert.deepEqual(sent, new Array(6).fill('raw m f=1 1'));
  assert.deepEqual(clock.waits, [50, 100, 200, 400, 800]);
});

test('a server whose disk is full is asked again, and called so in the end', async () => {
  const full: Said = [500, '{"error":"write /wal/_00001.wal: no space left on device"}'];
  assert.equal(await senderOf([full, full, [204, '']]).sender.send('raw', 'm f=1 1'), undefined);
  await assert.rejects(senderOf([full]).sender.send('raw', 'm f=1 1'), { code: 'DISK_FULL' });
});

test('a server that stays away is told after the time for retries', async () => {
  const { sender, sent } = senderOf(['away']);
  await assert.rejects(sender.send('raw', 'm f=1 1'), { code: 'STORE_UNAVAILABLE' });
  assert.ok(sent.length > 3 && sent.length < 10);
  const busy = senderOf([[503, '']]).sender;
  await assert.rejects(busy.send('raw', 'm f=1 1'), /overloaded or starting/);
});

test('closing ends the waiting, after the request that is under way', async () => {
  const closing = new AbortController();
  closing.abort();
  const { sender, sent } = senderOf(['away'], closing);
  await assert.rejects(sender.send('raw', 'm f=1 1'), { code: 'STORE_UNAVAILABLE' });
  assert.equal(sent.length, 1);
  assert.equal(await senderOf([[204, '']], closing).sender.send('raw', 'x'), undefined);
});

test('a fault of the set-up is not tried again', async () => {
  for (const said of [
    [401, ''],
    [403, ''],
    [404, ''],
    [400, 'database is required'],
  ] as const) {
    const { sender, sent } = senderOf([said]);
    await assert.rejects(sender.send('raw', 'm f=1 1'), { code: 'STORE_MISCONFIGURED' });
    assert.equal(sent.length, 1);
  }
});

test('what a server says of the points themselves is handed back', async () => {
  const { sender } = senderOf([[413, '']]);
  assert.deepEqual(await sender.send('long', 'x'), { kind: 'too-large' });
});
