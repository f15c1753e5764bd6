import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProjectId } from '../../values/project-id.ts';
import type { Connections } from './postgres-pool.ts';
import { postgresQuota } from './postgres-quota.ts';

interface Asked {
  readonly projects: readonly string[];
  /** When each project is asked for. */
  readonly at: readonly number[];
  readonly prices: readonly (readonly [pool: string, at: number])[];
  readonly answer: (known: readonly string[]) => void;
  readonly fail: (error: Error) => void;
}

/** A server that answers when the test says so: the n-th price of a statement is 1,000 + n. */
function heldServer(): { asked: Asked[]; connections: Pick<Connections, 'read'> } {
  const asked: Asked[] = [];
  const read = <R>(_: unknown, parameters: readonly unknown[]): Promise<R[]> => {
    const { promise, resolve, reject } = Promise.withResolvers<R[]>();
    const [projects, pools, times, at] = parameters as [string[], string[], number[], number[]];
    const rowOf = (project: string) => ({
      ...{ project, granted: project.slice(1), charged: '0' },
      ...{ accrued: '0', inferred: '0', per_hour: '0', unlimited: 0, turns: '', as_of: 5n },
      readings: 'log-bytes 5 7',
      ...{ reserved: '9', millicores: 0n, reserved_millicores: 3_000n, expired: '4 1000,2 500' },
      steps: `{${pools.map((pool, n) => (pool === 'none' ? 'NULL' : 1_000 + n)).join(',')}}`,
    });
    asked.push({
      projects,
      at,
      prices: pools.map((pool, n) => [pool, times[n] ?? 0] as const),
      answer: (known) => resolve(known.map(rowOf) as R[]),
      fail: reject,
    });
    return promise;
  };
  return { asked, connections: { read } };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const project = (n: number) => `p${n}` as ProjectId;

test('checks of one turn are one statement, and each has its own answer', async () => {
  const { asked, connections } = heldServer();
  const quota = postgresQuota(connections);
  const answers = [1, 2, 3].map((n) => quota(project(n), 'cpu', 9));
  await turn();
  assert.deepEqual(
    asked.map(({ projects }) => projects),
    [['p1', 'p2', 'p3']],
  );
  asked[0]?.answer(['p3', 'p1']);
  const [first, second, third] = await Promise.all(answers);
  assert.deepEqual([first?.balance.granted, second, third?.balance.granted], [1n, undefined, 3n]);
  assert.deepEqual([first?.step, first?.balance.asOf], [1_000, 5]);
  const { reserved, reservedMillicores } = first?.balance ?? {};
  assert.deepEqual([reserved, reservedMillicores], [3n, 1_500], 'what has run out is taken off');
  assert.deepEqual(first?.balance.readings, [{ kind: 'log-bytes', used: 5n, asOf: 7 }]);
});

test('checks that ask the same share a look-up, and each has the price of its pool and time', async () => {
  const { asked, connections } = heldServer();
  const quota = postgresQuota(connections);
  const answers = [
    quota(project(1), 'cpu', 9),
    quota(project(2), 'gpu', 9.7),
    quota(project(1), 'cpu', 8),
    quota(project(2), 'none', 9),
    quota(project(1), 'cpu', 9),
  ];
  await turn();
  assert.deepEqual(asked[0]?.projects, ['p1', 'p2']);
  assert.deepEqual(asked[0]?.at, [8, 9], 'no hold is over before its time');
  assert.deepEqual(asked[0]?.prices, [
    ['cpu', 9],
    ['gpu', 9],
    ['cpu', 8],
    ['none', 9],
  ]);
  asked[0]?.answer(['p2', 'p1']);
  const told = (await Promise.all(answers)).map((one) => [one?.balance.granted, one?.step]);
  assert.deepEqual(told, [
    [1n, 1_000],
    [2n, 1_001],
    [1n, 1_002],
    [2n, 1_000],
    [1n, 1_000],
  ]);
});

test('what comes while two statements are on the way goes together afterwards', async () => {
  const { asked, connections } = heldServer();
  const quota = postgresQuota(connections);
  const answers: unknown[] = [];
  for (let n = 1; n <= 5; n += 1) {
    answers.push(quota(project(n), 'cpu', 9));
    await turn();
  }
  assert.equal(asked.length, 2);
  asked[0]?.answer(['p1']);
  await turn();
  assert.deepEqual(asked[2]?.projects, ['p3', 'p4', 'p5']);
  asked[1]?.answer(['p2']);
  asked[2]?.answer([]);
  await Promise.all(answers);
});

test('more checks than may wait are refused, and those that wait are answered', async () => {
  const { asked, connections } = heldServer();
  const quota = postgresQuota(connections);
  const waiting = Array.from({ length: 20_000 }, () => quota(project(1), 'cpu', 9));
  await assert.rejects(Promise.resolve(quota(project(2), 'cpu', 9)), { code: 'OVERLOADED' });
  for (let answered = 0; answered < 40; answered += 1) {
    while (asked[answered] === undefined) await turn();
    asked[answered]?.answer(['p1']);
  }
  assert.equal((await Promise.all(waiting)).length, 20_000);
});

test('a failure is told to all who asked together, and to nobody later', async () => {
  const { asked, connections } = heldServer();
  const quota = postgresQuota(connections);
  const failing = [quota(project(1), 'cpu', 9), quota(project(2), 'cpu', 9)];
  await turn();
  asked[0]?.fail(new Error('gone'));
  for (const one of failing) await assert.rejects(Promise.resolve(one), /gone/);
  const later = quota(project(7), 'cpu', 9);
  await turn();
  asked[1]?.answer(['p7']);
  assert.equal((await later)?.balance.granted, 7n);
});
