import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { sharedDataFile } from '../../../test/support/shared-data.ts';
import { NO_RESOURCES } from '../../values/resources.ts';
import { decodeMaster, type MasterState } from './decode-master.ts';
import { decodeWorker } from './decode-worker.ts';
import { type PlacedExecutor, splitCores } from './split-cores.ts';
import { standaloneLoad, standalonePending } from './standalone-load.ts';

const read = (path: string): unknown => JSON.parse(readFileSync(sharedDataFile(path), 'utf8'));

function master(answer: unknown): MasterState {
  const decoded = decodeMaster(answer);
  assert.ok(typeof decoded === 'object');
  return decoded;
}

test('a master’s applications are read with its own clock, never with the zone letters of its dates', () => {
  const { active } = master(read('spark4/rest/master_json_running.json'));
  const [app] = active;
  assert.equal(app?.application, 'app-20261121072159-0000');
  assert.equal(app?.startedAt, 1_795_245_719_365);
  assert.equal(app?.seenAt, 1_795_245_719_365 + 31_023);
  assert.equal(app?.grantedCores, 2);
  assert.deepEqual(app?.perExecutor, { memoryMib: 700, gpus: 0 });
  assert.equal(app?.state, 'running');
});

test('completed applications end when the master says that they did', () => {
  const { completed, drivers } = master(read('spark4/rest/master_json_with_cluster_driver.json'));
  assert.deepEqual(
    completed.map(({ application, endedAt }) => [application, endedAt]),
    [
      ['app-20261121072159-0000', 1_795_245_719_365 + 31_465],
      ['app-20261121072351-0001', 1_795_245_831_361 + 11_635],
      ['app-20261121072459-0002', 1_795_245_899_604 + 11_686],
    ],
  );
  assert.deepEqual(drivers, [
    {
      driver: 'driver-20261121074949-0000',
      worker: 'worker-20261121072152-127.0.0.1-41851',
      running: true,
      waiting: false,
      cores: 1,
      memoryMib: 600,
      written: 'RUNNING',
      startedAt: 1_795_247_389_920,
      name: 'tg.StreamMain',
    },
  ]);
});

test('a master of Spark’s own test suite is read: GPUs, a waiting application, a driver, a worker twice', () => {
  const state = master(read('spark-standalone/expected-master-state.json'));
  assert.equal(state.workers.length, 1);
  assert.deepEqual(state.repeated, ['id']);
  assert.deepEqual(state.workers[0]?.capacity, { millicores: 4_000, memoryMib: 1_234, gpus: 3 });
  assert.equal(state.active[0]?.state, 'waiting');
  assert.deepEqual(state.active[0]?.perExecutor, { memoryMib: 1_234, gpus: 3 });
  assert.deepEqual(standaloneLoad(state, []), {
    allocated: NO_RESOURCES,
    pending: { millicores: 4_000, memoryMib: 1_334, gpus: 3 },
    capacity: { millicores: 4_000, memoryMib: 1_234, gpus: 3 },
  });
});

test('the load of a running cluster is that of its alive workers', () => {
  const state = master(read('spark4/rest/master_json_running.json'));
  const executors = decodeWorker(read('spark4/rest/worker_json.json'))?.executors ?? [];
  assert.deepEqual(standaloneLoad(state, executors), {
    allocated: { millicores: 2_000, memoryMib: 1_400, gpus: 0 },
    pending: NO_RESOURCES,
    capacity: { millicores: 2_000, memoryMib: 3_072, gpus: 0 },
  });
  const wanting = executors.map((one) => ({ ...one, coresWanted: 5 }));
  assert.equal(standaloneLoad(state, wanting).pending.millicores, 3_000);
  const [id = ''] = state.active.map(({ application }) => application);
  const cores = { millicores: 3_000, memoryMib: 0, gpus: 0 };
  assert.deepEqual([...standalonePending(state, wanting)], [[id, cores]]);
});

test('a cluster without workers has no load, although its master calls that 100 percent', () => {
  const state = master({ workers: [], activeapps: [], status: 'ALIVE' });
  const load = standaloneLoad(state, []);
  assert.deepEqual(load, {
    allocated: NO_RESOURCES,
    pending: NO_RESOURCES,
    capacity: NO_RESOURCES,
  });
  for (const sums of ['expected-clusterutilization-no-workers', 'expected-clusterutilization']) {
    assert.equal(decodeMaster(read(`spark-standalone/${sums}.json`)), undefined);
  }
});

test('a master that stands by or recovers says so, and its empty lists mean nothing', () => {
  const lists = { workers: [], activeapps: [] };
  assert.equal(decodeMaster({ ...lists, status: 'STANDBY' }), 'STANDBY');
  assert.equal(decodeMaster({ ...lists, status: 'RECOVERING' }), 'RECOVERING');
  assert.equal(decodeMaster(lists), undefined);
  assert.equal(decodeMaster(read('spark4/rest/master_json_workers.json')), undefined);
  assert.equal(decodeMaster(read('spark4/rest/master_json_activeapps.json')), undefined);
});

test('a decommissioned worker still runs its executors, but offers nothing', () => {
  const row = (id: string, state: string) => ({ id, state, cores: 4, memory: 10 });
  const workers = [row('a', 'DECOMMISSIONED'), row('b', 'DEAD'), row('c', 'ALIVE')];
  const state = master({ workers, activeapps: [], status: 'ALIVE' });
  assert.deepEqual(
    state.workers.map(({ up, alive }) => [up, alive]),
    [
      [true, false],
      [false, false],
      [true, true],
    ],
  );
  assert.equal(standaloneLoad(state, []).capacity.millicores, 4_000);
});

test('a worker’s executors are read, running and finished', () => {
  const running = decodeWorker(read('spark4/rest/worker_json.json'));
  assert.deepEqual(
    running?.executors.map(({ application, executor, memoryMib, coresWanted }) => {
      return [application, executor, memoryMib, coresWanted];
    }),
    [
      ['app-20261121072159-0000', '0', 700, 2],
      ['app-20261121072159-0000', '1', 700, 2],
    ],
  );
  assert.deepEqual(running?.finished, []);
  const finished = decodeWorker(read('spark-standalone/expected-worker-state.json'));
  assert.deepEqual(finished?.executors, []);
  assert.deepEqual(finished?.finished, [
    { application: 'appId', executor: '123', memoryMib: 1_234, gpus: 3, coresWanted: 4 },
  ]);
  assert.equal(decodeWorker({ workers: [] }), undefined);
});

const sums = (used: object, granted: object, complete = true) => ({
  usedByWorker: new Map<string, number>(Object.entries(used)),
  grantedByApplication: new Map<string, number>(Object.entries(granted)),
  complete,
});
const on = (worker: string, application: string): PlacedExecutor => ({ worker, application });
const cores = (executors: PlacedExecutor[], given: ReturnType<typeof sums>) =>
  splitCores(executors, given).map(({ executor, cores: n, certain }) => {
    return [executor.worker, executor.application, n, certain];
  });

test('one size of executors that explains all sums is certain', () => {
  const executors = [on('w1', 'a'), on('w1', 'b'), on('w2', 'a')];
  assert.deepEqual(cores(executors, sums({ w1: 5, w2: 2 }, { a: 4, b: 3 })), [
    ['w1', 'a', 2, true],
    ['w1', 'b', 3, true],
    ['w2', 'a', 2, true],
  ]);
});

test('executors that took what each worker had free are worked out worker by worker', () => {
  const executors = [on('w1', 'a'), on('w2', 'a'), on('w2', 'b')];
  assert.deepEqual(cores(executors, sums({ w1: 8, w2: 7 }, { a: 11, b: 4 })), [
    ['w1', 'a', 8, true],
    ['w2', 'a', 3, true],
    ['w2', 'b', 4, true],
  ]);
});

test('a size that follows from a worker that did not answer is not certain', () => {
  assert.deepEqual(cores([on('w1', 'a'), on('w1', 'b')], sums({ w1: 4 }, { a: 6, b: 2 }, false)), [
    ['w1', 'a', 6, false],
    ['w1', 'b', 2, false],
  ]);
});

test('whatever the sums are, every executor gets whole cores, never negative ones', () => {
  const executor = fc.record({
    worker: fc.constantFrom('w1', 'w2', 'w3'),
    application: fc.constantFrom('a', 'b'),
  });
  const count = fc.nat(20);
  fc.assert(
    fc.property(fc.array(executor), count, count, count, (executors, w1, w2, a) => {
      const split = splitCores(executors, sums({ w1, w2 }, { a, b: 3 }));
      assert.equal(split.length, executors.length);
      for (const one of split) assert.ok(Number.isSafeInteger(one.cores) && one.cores >= 0);
    }),
  );
});

test('sizes that were really granted by one setting come out again', () => {
  const size = fc.integer({ min: 1, max: 8 });
  const placing = fc.array(fc.tuple(fc.constantFrom('w1', 'w2', 'w3'), fc.constantFrom('a', 'b')));
  fc.assert(
    fc.property(placing, size, size, (placed, sizeA, sizeB) => {
      const executors = placed.map(([worker, application]) => ({ worker, application }));
      const used = new Map<string, number>();
      const granted = new Map<string, number>();
      for (const { worker, application } of executors) {
        const n = application === 'a' ? sizeA : sizeB;
        used.set(worker, (used.get(worker) ?? 0) + n);
        granted.set(application, (granted.get(application) ?? 0) + n);
      }
      const given = { usedByWorker: used, grantedByApplication: granted, complete: true };
      for (const { executor, cores: n, certain } of splitCores(executors, given)) {
        assert.equal(n, executor.application === 'a' ? sizeA : sizeB);
        assert.ok(certain);
      }
    }),
  );
});

test('whatever an answer holds, decoding never throws', () => {
  const hostile = fc.jsonValue({ maxDepth: 4 });
  fc.assert(
    fc.property(hostile, (a) => {
      decodeMaster(a);
      decodeWorker({ executors: [a], finishedexecutors: a });
      const state = decodeMaster({
        workers: [a],
        activeapps: [a],
        activedrivers: a,
        status: 'ALIVE',
      });
      if (typeof state === 'object') standaloneLoad(state, []);
    }),
  );
});
