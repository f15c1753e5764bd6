import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applicationFact, containerFact, SMALL, T0 } from '../../test/support/fact-builders.ts';
import type { ContainerFact } from '../contracts/container-fact.ts';
import { HOUR_MS, MINUTE_MS } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';
import { explainAttribution } from './explain-attribution.ts';
import { explainFacts } from './explain-facts.ts';

const LEASE_MS = 10 * MINUTE_MS;

function explain(
  facts: readonly ContainerFact[],
  more: { now?: number; evidence?: number; applicationEnd?: number } = {},
) {
  const { now = T0 + HOUR_MS, evidence, applicationEnd } = more;
  const witnessed = { facts, evidence, learnedAt: T0, applicationEnd: () => applicationEnd };
  return explainFacts(witnessed, now, LEASE_MS);
}

const started = (at = 0, more: Partial<ContainerFact> = {}) =>
  containerFact('container-started', T0 + at, more);
const stopped = (at: number, more: Partial<ContainerFact> = {}) =>
  containerFact('container-stopped', T0 + at, more);

const verdicts = (explained: ReturnType<typeof explain>) =>
  explained.facts.map(({ fact, decides, why }) => [fact.witness, decides.join(' '), why]);

test('two witnesses that say the same are both believed', () => {
  const told = explain([
    started(),
    started(0, { witness: 'agent' }),
    stopped(60_000),
    stopped(60_000, { witness: 'agent' }),
  ]);
  assert.deepEqual(
    told.facts.map(({ fact, decides }) => [fact.kind, fact.witness, decides[0]]),
    [
      ['container-started', 'agent', 'start'],
      ['container-started', 'event-log', 'start'],
      ['container-stopped', 'agent', 'end'],
      ['container-stopped', 'event-log', 'end'],
    ],
  );
});

test('the end is explained however it came to be known', () => {
  const ends = [
    [explain([started(), stopped(9_000)]).end, 'its stop was seen by event-log'],
    [
      explain([started(), stopped(9_000, { reason: 'inferred: the log ended' })]).end,
      'its stop was concluded by event-log',
    ],
    [
      explain([started()], { applicationEnd: T0 + MINUTE_MS }).end,
      'no stop was seen: closed where its application ended',
    ],
    [
      explain([started()], { evidence: T0 + MINUTE_MS }).end,
      'no stop was seen: closed at its last evidence, after the lease without news',
    ],
    [
      explain([started()], { evidence: T0 + MINUTE_MS, now: T0 + 2 * MINUTE_MS }).end,
      'still open: charged as far as it was seen, to 2026-11-21T09:01:00.000Z',
    ],
    [explain([started(), stopped(-5)]).end, 'it stopped before it started: it has no length'],
    [explain([stopped(9)]).end, ''],
  ];
  for (const [said, expected] of ends) assert.equal(said, expected);
});

test('what is passed over says why', () => {
  const told = explain([
    started(),
    started(2_000, { witness: 'yarn' }),
    containerFact('container-resized', T0 + 3_000, { resources: { ...SMALL, gpus: 1 } }),
    containerFact('container-resized', T0 + 4_000, {
      witness: 'yarn',
      resources: { ...SMALL, gpus: 2 },
    }),
    stopped(-1_000, { witness: 'yarn' }),
    stopped(40_000, { reason: 'inferred: lost' }),
    stopped(50_000),
    stopped(51_500),
    stopped(49_000, { witness: 'yarn' }),
  ]);
  assert.deepEqual(verdicts(told), [
    ['yarn', '', 'anomaly stop-before-start: before its start'],
    ['event-log', 'start resources', 'the earliest start of any witness; its size from here on'],
    ['yarn', '', 'later than the earliest start (2 s apart)'],
    ['event-log', 'resources', 'its size from here on'],
    ['yarn', '', 'event-log is trusted more (1 s apart)'],
    ['event-log', '', 'concluded; a stop that was seen goes before it'],
    ['yarn', '', 'event-log is trusted more (1 s apart)'],
    ['event-log', 'end', 'of yarn, event-log, event-log is trusted most'],
    ['event-log', '', 'event-log told of an earlier one (1.5 s apart)'],
  ]);
});

test('without a start nothing is charged, and each fact says so', () => {
  const told = explain([stopped(9_000)]);
  assert.equal(told.told.life, undefined);
  assert.deepEqual(verdicts(told), [
    ['event-log', '', 'anomaly stop-without-start: nothing is charged'],
  ]);
});

test('a container of very many facts is told by what they say, without reading its life for each', () => {
  const resizes = Array.from({ length: 5_000 }, (_, i) =>
    containerFact('container-resized', T0 + 1 + i, { resources: { ...SMALL, gpus: i % 2 } }),
  );
  const told = explain([started(), ...resizes, stopped(60_000)]);
  assert.deepEqual(told.facts[0]?.decides, ['resources', 'start']);
  assert.deepEqual(told.facts[2]?.decides, ['resources']);
  assert.deepEqual(told.facts.at(-1)?.decides, ['end']);
});

test('who pays is explained by the lowest rule, then the smallest id', () => {
  const facts = [
    applicationFact('application-seen', T0, { id: 'b', rule: 2, project: 'ml' as ProjectId }),
    applicationFact('application-seen', T0 + 1, { id: 'd', rule: 1 }),
    applicationFact('application-seen', T0 + 2, { id: 'c', rule: 1 }),
    applicationFact('application-seen', T0 + 3, { id: 'a', rule: 1_000_000 }),
  ];
  const ref = { cluster: 'yarn-1', application: 'app-1' };
  assert.deepEqual(
    explainAttribution(ref, facts).map(({ fact, decides, why }) => [fact.id, decides, why]),
    [
      ['b', false, 'rule 2 matched, and rule 1 comes before it'],
      ['d', false, 'tells the same as the fact that stands'],
      ['c', true, 'attribution rule 1 matched, the first of those that did'],
      ['a', false, 'no attribution rule matched what it tells'],
    ],
  );
});
