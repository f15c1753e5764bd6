import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { type Answer, AnsweringServer } from '../../../test/support/answering-server.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { FakeControlPlane } from '../../../test/support/fake-control-plane.ts';
import { ControlPlane } from './control-plane.ts';

const shape = z.object({ id: z.string() });
const request = { method: 'POST', path: '/x', body: {} } as const;

async function ask(answer: Answer) {
  await using server = await AnsweringServer.open();
  server.answers.set('/x', answer);
  const plane = new ControlPlane({ url: server.url, token: 'tg_x', clock: new FakeClock() });
  return await plane.call(request, shape, new AbortController().signal);
}

const problem = (
  status: number,
  more: object = {},
  headers: Record<string, string> = {},
): Answer => ({
  status,
  headers,
  text: JSON.stringify({ title: 'T', detail: 'so it is', code: 'C', status, ...more }),
});

test('an answer is what its shape says, and nothing else', async () => {
  assert.deepEqual(await ask({ json: { id: 'a', more: 1 } }), { kind: 'ok', body: { id: 'a' } });
  for (const odd of [{ json: { id: 1 } }, { json: { id: 'a' }, cutAt: 4 }, { text: '' }]) {
    assert.equal((await ask(odd)).kind, 'unreachable');
  }
});

test('a problem of 4xx is a no; whatever else comes is no answer of Tollgate’s', async () => {
  const no = { kind: 'refused', status: 403, message: 'so it is', retryAfterMs: undefined };
  assert.deepEqual(await ask(problem(403)), no);
  assert.equal((await ask(problem(503))).kind, 'unreachable');
  assert.equal((await ask(problem(500))).kind, 'unreachable');
  assert.equal((await ask({ text: '<html>', status: 404 })).kind, 'unreachable');
  assert.equal((await ask({ text: '{"error":"proxy"}', status: 403 })).kind, 'unreachable');
  assert.equal((await ask({ breakOff: true })).kind, 'unreachable');
});

test('when to ask again: the longest of all limits, unless one never gives way; else the header', async () => {
  const after = async (...answer: Parameters<typeof problem>) => {
    const reached = await ask(problem(...answer));
    return reached.kind === 'refused' ? reached.retryAfterMs : 'none';
  };
  const reasons = (...each: (number | null)[]) => ({
    reasons: each.map((retryAfter) => ({ kind: 'cores', retryAfter })),
  });
  assert.equal(await after(403, reasons(5, 9)), 9_000);
  assert.equal(await after(403, reasons(5, null)), undefined);
  assert.equal(await after(429, {}, { 'retry-after': '7' }), 7_000);
  assert.equal(await after(409), undefined);
});

test('control characters of an answer do not reach a terminal', async () => {
  const reached = await ask(problem(403, { detail: 'a\u001b[2Jb' }));
  assert.ok(reached.kind === 'refused' && reached.message === 'a\\u001b[2Jb');
});

test('a restart is waited out, a long overload is told', async () => {
  await using server = await FakeControlPlane.open();
  const clock = new FakeClock();
  const plane = new ControlPlane({ url: server.url, token: undefined, clock });
  const never = new AbortController().signal;
  server.health = 'fails';
  const asking = plane.patiently({ ...request, path: '/post' }, shape, never);
  for (const wait of [1_000, 3_000]) {
    while (clock.sleepers === 0) await new Promise((next) => setImmediate(next));
    if (wait === 3_000) server.health = 'up';
    await clock.advance(wait);
  }
  assert.equal((await asking).kind, 'ok');
  assert.equal(server.asked.length, 3);
  server.refusals.set('/post', { status: 429, detail: 'full', header: 600 });
  const full = await plane.patiently({ ...request, path: '/post' }, shape, never);
  assert.ok(full.kind === 'refused' && full.retryAfterMs === 600_000);
});
