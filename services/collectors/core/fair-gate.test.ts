import assert from 'node:assert/strict';
import test from 'node:test';
import { AppError } from '../../../shared/errors/app-error.ts';
import { FairGate } from './fair-gate.ts';

const { signal: never } = new AbortController();
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(limitBytes = 1_000) {
  const gate = new FairGate({ workBytes: 100, limitBytes, name: 'pushed logs', quantum: 100 });
  const order: string[] = [];
  const work: Disposable[] = [];
  const enter = async (project: string, bytes = 100): Promise<void> => {
    const done = await gate.enter(project, bytes, never);
    order.push(project);
    work.push(done);
  };
  const finishOne = async (): Promise<void> => {
    await turn();
    work.shift()?.[Symbol.dispose]();
    await turn();
  };
  return { gate, order, enter, finishOne };
}

test('a project that waits with much lets one with little go before its second piece', async () => {
  const { order, enter, finishOne } = setUp();
  const all = [enter('hog'), enter('hog'), enter('hog'), enter('hog'), enter('quiet')];
  for (let i = 0; i < 5; i += 1) await finishOne();
  await Promise.all(all);
  assert.deepEqual(order, ['hog', 'hog', 'quiet', 'hog', 'hog']);
});

test('a full project is refused with how long to wait, and another one is not', async () => {
  const { gate, enter, finishOne } = setUp(600);
  const waiting = [enter('hog'), enter('hog'), enter('hog')];
  await turn();
  await assert.rejects(gate.enter('hog', 100, never), (error) => {
    assert.ok(error instanceof AppError && error.code === 'OVERLOADED');
    assert.match(error.message, /too many pushed logs of hog wait/);
    assert.equal(error.details['retryAfterMs'], 1_000);
    return true;
  });
  waiting.push(enter('quiet'));
  for (let i = 0; i < 4; i += 1) await finishOne();
  await Promise.all(waiting);
});

test('who gives up waiting is not let in, and holds nobody up', async () => {
  const { gate, order, enter, finishOne } = setUp();
  const first = enter('a');
  const stop = new AbortController();
  const second = gate.enter('b', 100, stop.signal);
  const third = enter('c');
  stop.abort(new Error('too late'));
  await assert.rejects(second, /too late/);
  await finishOne();
  await Promise.all([first, third]);
  assert.deepEqual(order, ['a', 'c']);
});

test('a piece larger than all that may be worked on passes alone', async () => {
  const { order, enter, finishOne } = setUp(12_000);
  const all = [enter('a', 5_000), enter('b', 10)];
  await turn();
  assert.deepEqual(order, ['a']);
  await finishOne();
  await Promise.all(all);
  assert.deepEqual(order, ['a', 'b']);
});
