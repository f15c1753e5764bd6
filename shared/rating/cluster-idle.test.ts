import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { T0 } from '../../test/support/fact-builders.ts';
import { addQuantity, NO_QUANTITY } from '../contracts/charge.ts';
import type { NodeFact } from '../contracts/container-fact.ts';
import { nodeIntervals } from '../intervals/node-life.ts';
import { HOUR_MS, utcHour } from '../values/instant.ts';
import { clusterIdle } from './cluster-idle.ts';
import { quantityOf, type ResourceInterval, rateIntervals } from './rate-interval.ts';

const CARD = { id: 'x', coreSecond: 1n, gibSecond: 1n, gpuSecond: 1n };
const WINDOW = { start: T0, end: T0 + 2 * HOUR_MS };
const NOON = T0 + HOUR_MS;
/** Moments near the turn of the hour, so that an oracle can go from ms to ms. */
const near = fc.integer({ min: -60, max: 60 }).map((ms) => NOON + ms);
const size = fc.record({
  millicores: fc.nat(4_000),
  memoryMib: fc.nat(9_000),
  gpus: fc.nat(2),
});
const nodeFact = fc
  .record({
    kind: fc.constantFrom('node-started' as const, 'node-stopped' as const),
    at: near,
    node: fc.constantFrom('n1', 'n2', 'n3'),
    capacity: size,
    salt: fc.nat(9),
  })
  .map(
    ({ salt, ...rest }): NodeFact => ({
      ...rest,
      // A fact has one body: what differs has another id.
      id: `${rest.kind}/${rest.node}/${rest.at}/${JSON.stringify(rest.capacity)}/${salt}`,
      cluster: 'c',
      witness: 'yarn',
      market: 'unknown',
    }),
  );
const containerSpan = fc
  .tuple(near, near, size)
  .map(([a, b, resources]) => ({ start: Math.min(a, b), end: Math.max(a, b), resources }));

/** What is held at each ms, summed by hour: nothing but additions. */
function perMillisecond(spans: readonly ResourceInterval[]): Map<number, bigint[]> {
  const hours = new Map<number, bigint[]>();
  for (const { start, end, resources } of spans) {
    for (let at = start; at < end; at += 1) {
      const hour = utcHour(at);
      const [cores = 0n, mib = 0n, gpus = 0n] = hours.get(hour) ?? [];
      hours.set(hour, [
        cores + BigInt(resources.millicores),
        mib + BigInt(resources.memoryMib),
        gpus + BigInt(resources.gpus),
      ]);
    }
  }
  return hours;
}

/** What the nodes had, by what was last said of each at every ms. */
function nodesPerMillisecond(facts: readonly NodeFact[], knownUntil: number) {
  const ordered = facts.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const spans: ResourceInterval[] = [];
  for (let at = NOON - 60; at < knownUntil; at += 1) {
    for (const node of new Set(facts.map((fact) => fact.node))) {
      const last = ordered.findLast((fact) => fact.node === node && fact.at <= at);
      if (last?.kind !== 'node-started') continue;
      spans.push({ start: at, end: at + 1, resources: last.capacity });
    }
  }
  return perMillisecond(spans);
}

test('idle is nodes − containers at every millisecond, to the unit', () => {
  fc.assert(
    fc.property(
      fc.array(nodeFact, { maxLength: 8 }),
      fc.array(containerSpan, { maxLength: 6 }),
      (facts, containers) => {
        const nodes = nodeIntervals(facts, NOON + 50);
        const used = containers
          .flatMap((one) => rateIntervals([one], [], CARD))
          .reduce((sums, { hour, quantity }) => {
            const before = sums.get(hour) ?? NO_QUANTITY;
            return sums.set(hour, addQuantity(before, quantity));
          }, new Map<number, typeof NO_QUANTITY>());
        const hours = clusterIdle(
          nodes,
          [...used].map(([hour, quantity]) => ({ hour, quantity, unallocated: NO_QUANTITY })),
          WINDOW,
        );
        const had = nodesPerMillisecond(facts, NOON + 50);
        const held = perMillisecond(containers);
        assert.equal(hours.length, 2);
        for (const { hour, idle } of hours) {
          const [a = [], b = []] = [had.get(hour), held.get(hour)];
          assert.deepEqual(
            [idle.millicoreMs, idle.mibMs, idle.gpuMs],
            [0, 1, 2].map((i) => (a[i] ?? 0n) - (b[i] ?? 0n)),
          );
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('a node’s intervals follow from the set of its facts, and never overlap', () => {
  fc.assert(
    fc.property(fc.array(nodeFact, { maxLength: 10 }), fc.array(fc.nat()), (facts, order) => {
      const mixed = [...facts, ...facts.slice(0, 3)]
        .map((fact, i) => ({ fact, rank: order[i] ?? 0 }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ fact }) => fact);
      const intervals = nodeIntervals(facts, NOON + 60);
      assert.deepEqual(nodeIntervals(mixed, NOON + 60), intervals);
      for (const [i, one] of intervals.entries()) {
        assert.ok(one.end > one.start);
        const before = intervals[i - 1];
        if (before?.node === one.node) assert.ok(one.start >= before.end);
      }
    }),
  );
});

test('more granted than there is shows as negative idle, and the sum still holds', () => {
  const span = { start: NOON, end: NOON + 10, resources: { millicores: 5, memoryMib: 1, gpus: 0 } };
  const [, hour] = clusterIdle(
    [],
    [{ hour: NOON, quantity: quantityOf(span), unallocated: NO_QUANTITY }],
    WINDOW,
  );
  assert.deepEqual([hour?.idle.millicoreMs, hour?.containers.millicoreMs], [-50n, 50n]);
});
