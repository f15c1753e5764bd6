import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerFact, SMALL, T0 } from '../../test/support/fact-builders.ts';
import type { ContainerFact } from '../contracts/container-fact.ts';
import { DAY_MS, MINUTE_MS } from '../values/instant.ts';
import { containerLife } from './container-life.ts';

const NOW = T0 + 60 * MINUTE_MS;
const LEASE_MS = 10 * MINUTE_MS;
const BIG = { millicores: 8_000, memoryMib: 16_384, gpus: 1 };

function told(
  facts: readonly ContainerFact[],
  more: { evidence?: number; learnedAt?: number; applicationEnd?: number; now?: number } = {},
) {
  const witnessed = {
    facts,
    evidence: more.evidence,
    learnedAt: more.learnedAt ?? T0,
    applicationEnd: () => more.applicationEnd,
  };
  return containerLife(witnessed, more.now ?? NOW, LEASE_MS);
}

const started = containerFact('container-started', T0);
const stopped = containerFact('container-stopped', T0 + 5_000);

test('a container lives from its start to its stop, whichever is told first', () => {
  const { life, anomalies } = told([stopped, started, started]);
  assert.deepEqual(life?.intervals, [{ start: T0, end: T0 + 5_000, resources: SMALL }]);
  assert.equal(life?.coverage, 'exact');
  assert.deepEqual(anomalies, []);
});

test('of several witnesses the earliest start counts, and the stop of the most trusted', () => {
  const facts = [
    containerFact('container-started', T0 + 900),
    containerFact('container-started', T0, { witness: 'yarn' }),
    containerFact('container-stopped', T0 + 4_000, { witness: 'yarn' }),
    containerFact('container-stopped', T0 + 5_000),
    containerFact('container-stopped', T0 + 9_000),
    containerFact('container-stopped', T0 + 4_800, { witness: 'agent' }),
  ];
  assert.deepEqual([told(facts).life?.start, told(facts).life?.end], [T0, T0 + 4_800]);
  assert.equal(told(facts.slice(0, 5)).life?.end, T0 + 5_000);
});

test('a resize splits the life; one that changes nothing does not', () => {
  const facts = [
    started,
    containerFact('container-resized', T0 + 1_000, { resources: SMALL }),
    containerFact('container-resized', T0 + 2_000, { resources: BIG }),
    containerFact('container-resized', T0 + 9_000, { resources: SMALL }),
    stopped,
  ];
  assert.deepEqual(told(facts).life?.intervals, [
    { start: T0, end: T0 + 2_000, resources: SMALL },
    { start: T0 + 2_000, end: T0 + 5_000, resources: BIG },
  ]);
});

test('what is known later of its size holds from the start when nothing else is known', () => {
  const unknown = { millicores: 0, memoryMib: 0, gpus: 0 };
  const facts = [
    containerFact('container-started', T0, { resources: unknown }),
    containerFact('container-started', T0 + 700, { witness: 'yarn', resources: BIG }),
    stopped,
  ];
  assert.deepEqual(told(facts).life?.intervals, [{ start: T0, end: T0 + 5_000, resources: BIG }]);
});

test('without a stop it is open to its last evidence, while that is within the lease', () => {
  const open = told([started], { evidence: NOW - MINUTE_MS });
  assert.deepEqual([open.life?.coverage, open.life?.end], ['open', NOW - MINUTE_MS]);
  const silent = told([started], { evidence: NOW - LEASE_MS });
  assert.deepEqual([silent.life?.coverage, silent.life?.end], ['inferred', NOW - LEASE_MS]);
});

test('the lease of an old log that is read now begins with the reading', () => {
  const old = containerFact('container-started', T0 - 900 * DAY_MS);
  assert.equal(told([old], { learnedAt: NOW - 1 }).life?.coverage, 'open');
  assert.equal(told([old], { learnedAt: NOW - LEASE_MS }).life?.coverage, 'inferred');
});

test('a late stop corrects what the lease inferred', () => {
  const before = told([started], { evidence: T0 + 1_000 }).life;
  assert.deepEqual([before?.coverage, before?.end], ['inferred', T0 + 1_000]);
  const after = told([started, stopped], { evidence: T0 + 1_000 }).life;
  assert.deepEqual([after?.coverage, after?.end], ['exact', T0 + 5_000]);
});

test('the end of its application ends it, though not before its last evidence', () => {
  const ended = told([started], { applicationEnd: T0 + 3_000, now: T0 + 3_001 }).life;
  assert.deepEqual([ended?.coverage, ended?.end], ['inferred', T0 + 3_000]);
  assert.equal(ended?.witnessedUntil, T0);
  const seen = told([started], { applicationEnd: T0 + 3_000, evidence: T0 + 4_000 }).life;
  assert.equal(seen?.end, T0 + 4_000);
  const own = told([started, stopped], { applicationEnd: T0 + 3_000 }).life;
  assert.deepEqual([own?.coverage, own?.end], ['exact', T0 + 5_000]);
});

test('what is seen at a time still to come keeps it open, and counts up to now', () => {
  const ahead = told([started], { evidence: NOW + 5_000, applicationEnd: T0 + 1 }).life;
  assert.deepEqual([ahead?.coverage, ahead?.end], ['open', NOW]);
});

test('a stop without a start, or before it, charges nothing and is named', () => {
  const alone = told([stopped]);
  assert.equal(alone.life, undefined);
  assert.deepEqual(alone.anomalies, [
    { anomaly: 'stop-without-start', factId: stopped.id, at: stopped.at },
  ]);
  const early = containerFact('container-stopped', T0 - 1);
  const inverted = told([started, early], { evidence: NOW });
  assert.deepEqual(inverted.life?.intervals, []);
  assert.equal(inverted.life?.coverage, 'exact');
  assert.deepEqual(inverted.anomalies, [
    { anomaly: 'stop-before-start', factId: early.id, at: early.at },
  ]);
});

test('a start after the stop adds nothing and is named', () => {
  const again = containerFact('container-started', T0 + 9_000);
  const { life, anomalies } = told([started, stopped, again]);
  assert.equal(life?.end, T0 + 5_000);
  assert.deepEqual(anomalies, [{ anomaly: 'start-after-stop', factId: again.id, at: again.at }]);
  const resize = containerFact('container-resized', T0);
  assert.equal(told([resize]).anomalies[0]?.anomaly, 'resize-without-start');
});

test('a size or a life that nobody grants is journaled and not charged', () => {
  const huge = containerFact('container-started', T0, {
    resources: { ...SMALL, millicores: 1_000_000_000 },
  });
  const negative = containerFact('container-started', T0, {
    resources: { ...SMALL, memoryMib: -1 },
  });
  const endless = containerFact('container-started', T0 - 3_000 * DAY_MS);
  for (const [fact, anomaly] of [
    [huge, 'implausible-resources'],
    [negative, 'implausible-resources'],
    [endless, 'implausible-life'],
  ] as const) {
    const { life, anomalies } = told([fact, stopped]);
    assert.deepEqual(life?.intervals, []);
    assert.deepEqual(anomalies, [{ anomaly, factId: fact.id, at: fact.at }]);
  }
});

test('a stop that a witness only concluded ends a container, and a seen one corrects it', () => {
  const concluded = containerFact('container-stopped', T0 + 3_000, {
    id: 'concluded',
    reason: 'inferred: the log is closed without an end of the application',
  });
  const { life } = told([started, concluded], { now: T0 + 4_000 });
  assert.deepEqual([life?.end, life?.coverage], [T0 + 3_000, 'inferred']);
  const corrected = told([started, concluded, stopped]).life;
  assert.deepEqual([corrected?.end, corrected?.coverage], [T0 + 5_000, 'exact']);
});

test('a container that is seen alive after a concluded stop goes on', () => {
  const concluded = containerFact('container-stopped', T0 + 3_000, {
    id: 'concluded',
    reason: 'inferred: the log is closed without an end of the application',
  });
  const { life } = told([started, concluded], { evidence: T0 + 9_000, now: T0 + 9_500 });
  assert.deepEqual([life?.end, life?.coverage], [T0 + 9_000, 'open']);
});
