import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ContainerFact, ContainerRole } from '../../shared/contracts/container-fact.ts';
import { rateQuantity } from '../../shared/rating/rate-interval.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import { BASE_STEP } from '../../shared/values/price-step.ts';
import { DEFAULT_RATE_CARD } from '../../shared/values/rate-card.ts';
import { AttemptMeter } from './meter-attempt.ts';

interface Life {
  readonly container: string;
  readonly role: ContainerRole;
  readonly start: number;
  readonly lengthMs: number;
  readonly cores: number;
}

function facts({ container, role, start, lengthMs, cores }: Life): ContainerFact[] {
  const base = {
    cluster: 'c',
    witness: 'event-log',
    application: 'app-1',
    attempt: '',
    container,
    role,
    host: '',
    reason: '',
    resources: { millicores: cores * 1000, memoryMib: 1024 * cores, gpus: cores % 2 },
  } as const;
  return [
    { ...base, kind: 'container-started', id: `${container}/started`, at: start },
    { ...base, kind: 'container-stopped', id: `${container}/stopped`, at: start + lengthMs },
  ];
}
const executor = (given: Partial<Life> = {}): Life => ({
  container: '1',
  role: 'executor',
  start: 0,
  lengthMs: 1000,
  cores: 1,
  ...given,
});

function rows(lives: readonly Life[], card = DEFAULT_RATE_CARD) {
  const meter = new AttemptMeter(card);
  for (const life of lives) meter.add(facts(life));
  return meter.rows();
}

test('a core with a GiB costs a thousandth of a credit a second', () => {
  const [row] = rows([executor({ cores: 2, lengthMs: 10_000 })]);
  assert.deepEqual(row, {
    role: 'executor',
    containers: 1,
    quantity: { containerMs: 10_000n, millicoreMs: 20_000_000n, mibMs: 20_480_000n, gpuMs: 0n },
    amount: 20_000_000n,
    inferred: 0n,
  });
});

test('roles stand in rows of their own, executors first', () => {
  const lives = [
    executor({ container: 'am', role: 'application-master' }),
    executor({ container: 'driver', role: 'driver' }),
    executor({ container: '1' }),
    executor({ container: '2' }),
  ];
  assert.deepEqual(
    rows(lives).map(({ role, containers }) => [role, containers]),
    [
      ['executor', 2],
      ['driver', 1],
      ['application-master', 1],
    ],
  );
});

test('credits are rounded by the hour, as the ledger rounds them', () => {
  const card = { id: 'odd', coreSecond: 1n, gibSecond: 0n, gpuSecond: 0n };
  const meter = new AttemptMeter(card);
  // Half a nano-credit in each of two hours, each rounded to even.
  meter.add(facts(executor({ start: HOUR_MS - 500, lengthMs: 1000 })));
  assert.equal(meter.rows()[0]?.amount, 0n);
  const whole = new AttemptMeter(card);
  whole.add(facts(executor({ start: 0, lengthMs: 1000 })));
  assert.equal(whole.rows()[0]?.amount, 1n);
});

test('a container that claims a century is rated at once', () => {
  const [row] = rows([executor({ lengthMs: 100 * 366 * 24 * HOUR_MS })]);
  assert.ok(row !== undefined);
  assert.equal(row.amount, rateQuantity(row.quantity, BASE_STEP, DEFAULT_RATE_CARD));
});

test('a start without a stop and a stop without a start count nothing', () => {
  const meter = new AttemptMeter(DEFAULT_RATE_CARD);
  const [start, stop] = facts(executor());
  meter.add(stop === undefined ? [] : [stop]);
  meter.add(start === undefined ? [] : [start]);
  assert.deepEqual(meter.rows(), []);
});

test('quantities are those of a sum per container, in any order of containers', () => {
  const life = fc.record({
    start: fc.nat(1e9),
    lengthMs: fc.nat(1e8),
    cores: fc.integer({ min: 1, max: 64 }),
  });
  fc.assert(
    fc.property(fc.array(life, { minLength: 1, maxLength: 8 }), fc.nat(), (given, turn) => {
      const lives = given.map((one, index) => executor({ ...one, container: `${index}` }));
      const at = turn % lives.length;
      const turned = [...lives.slice(at), ...lives.slice(0, at)];
      assert.deepEqual(rows(lives), rows(turned));
      const expected = lives.reduce(
        (sum, one) => sum + BigInt(one.lengthMs * one.cores * 1000),
        0n,
      );
      assert.equal(rows(lives)[0]?.quantity.millicoreMs, expected);
    }),
  );
});

test('a container costs the minimum of the card at least, as the ledger charges it', () => {
  const card = { ...DEFAULT_RATE_CARD, minimum: 15_000_000n };
  const lives = [10_000, 20_000, 0].map((lengthMs, i) => executor({ container: `${i}`, lengthMs }));
  const [row] = rows(
    lives.map((life) => ({ ...life, cores: 2 })),
    card,
  );
  assert.equal(row?.amount, 20_000_000n + 40_000_000n);
  const [short] = rows(
    [1, 1_000].map((lengthMs, i) => executor({ container: `${i}`, lengthMs, cores: 2 })),
    card,
  );
  assert.deepEqual([short?.amount, short?.quantity.containerMs], [30_000_000n, 1_001n]);
});
