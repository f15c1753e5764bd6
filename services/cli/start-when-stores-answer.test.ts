import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../shared/errors/app-error.ts';
import { startWhenStoresAnswer } from './start-when-stores-answer.ts';

/** Time passes by what is slept. */
function world() {
  const said: string[] = [];
  const stop = new AbortController();
  let now = 0;
  const sleep = (ms: number): Promise<void> => {
    now += ms;
    return Promise.resolve();
  };
  const clock = { now: () => now, elapsed: () => now, sleep };
  const io = { signal: stop.signal, err: (text: string) => said.push(text), clock };
  return { io, said, stop, elapsed: () => now };
}

const away = (): never => {
  throw new AppError('STORE_UNAVAILABLE', 'the ledger at db:5432 does not answer');
};

test('it starts once its stores answer, and says once a minute what it waits for', async () => {
  const { io, said, elapsed } = world();
  let left = 60;
  const start = async () => (left-- > 0 ? away() : 'running');
  assert.equal(await startWhenStoresAnswer(io, () => 1, start), 'running');
  assert.ok(elapsed() > 200_000 && elapsed() <= 60 * 5_000, `${elapsed()} ms`);
  assert.equal(said.length, Math.ceil(elapsed() / 60_000), said.join(''));
  assert.match(said[0] ?? '', /the ledger at db:5432 does not answer\nwaiting for it/);
});

test('another problem than before is said at once', async () => {
  const { io, said } = world();
  const problems = ['the ledger', 'the log store'];
  const start = async () => {
    const problem = problems.shift();
    if (problem === undefined) return 'running';
    throw new AppError('STORE_UNAVAILABLE', `${problem} does not answer`);
  };
  await startWhenStoresAnswer(io, () => 0.5, start);
  assert.equal(said.length, 2);
});

test('what a person must mend ends it', async () => {
  const { io } = world();
  const start = async () => {
    throw new AppError('STORE_MISCONFIGURED', 'the password is wrong');
  };
  await assert.rejects(
    startWhenStoresAnswer(io, () => 1, start),
    { code: 'STORE_MISCONFIGURED' },
  );
});

test('a signal ends the wait', async () => {
  const { io, stop } = world();
  const start = async () => {
    stop.abort();
    return away();
  };
  assert.equal(await startWhenStoresAnswer(io, () => 1, start), undefined);
});
