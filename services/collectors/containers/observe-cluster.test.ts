import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type {
  ClusterSnapshot,
  SeenApplication,
  SeenContainer,
} from '../../../shared/clusters/cluster-reader.ts';
import type { JournalFact } from '../../../shared/contracts/container-fact.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import {
  type ClusterState,
  clusterPrefix,
  EMPTY_STATE,
  restoreState,
  stateCheckpoints,
} from './cluster-state.ts';
import { observeCluster } from './observe-cluster.ts';

const T = 1_795_000_000_000;
const GONE_MS = 10_000;
const SIZE = { millicores: 1_000, memoryMib: 1_024, gpus: 0 };
const context = {
  cluster: 'main',
  witness: 'standalone' as const,
  goneAfterMs: GONE_MS,
  attribute: () => ({ project: 'etl' as ProjectId, rule: 0 }),
};

const application = (more: Partial<SeenApplication> = {}): SeenApplication => ({
  application: 'app-1',
  attempt: '',
  name: 'n',
  user: 'u',
  queue: '',
  tags: {},
  url: '',
  state: 'running',
  startedAt: T,
  endedAt: undefined,
  endedAttempts: new Map(),
  ...more,
});

const container = (at: number, more: Partial<SeenContainer> = {}): SeenContainer => ({
  container: 'app-1//0',
  application: 'app-1',
  attempt: '',
  role: 'executor',
  resources: SIZE,
  sizeCertain: true,
  host: 'h',
  scope: 'w1',
  startedAt: undefined,
  seenAt: at,
  ...more,
});

const look = (after: number, more: Partial<ClusterSnapshot> = {}): ClusterSnapshot => ({
  at: T + after,
  applications: [application()],
  containers: [],
  ended: [],
  listed: true,
  answered: new Set(['w1']),
  failed: new Set(),
  nodes: undefined,
  load: undefined,
  problems: [],
  ...more,
});

/** Plays looks one after another; `restart` stores and restores the state after each. */
function play(looks: readonly ClusterSnapshot[], restart = false) {
  let state: ClusterState = EMPTY_STATE;
  const facts: JournalFact[] = [];
  const prefix = clusterPrefix('main');
  const stored = new Map<string, string>();
  for (const snapshot of looks) {
    const seen = observeCluster(state, snapshot, context);
    facts.push(...seen.facts);
    for (const { source, position } of stateCheckpoints(
      prefix,
      seen.after,
      seen.touched,
      seen.nodesChanged,
    )) {
      stored.set(source, position);
    }
    const rows = [...stored].map(([source, position]) => ({ source, position }));
    state = restart ? restoreState(prefix, rows) : seen.after;
  }
  const told = facts.map(({ kind, at }) => `${kind} ${at - T}`);
  return { facts, told: told.filter((one) => one.startsWith('container')), state };
}

test('an executor of an application that began since the last look began with it', () => {
  const early = look(0, { applications: [] });
  const born = application({ startedAt: T + 2_000 });
  const seen = look(5_000, { applications: [born], containers: [container(T + 5_000)] });
  assert.deepEqual(play([early, seen]).told, ['container-started 2000']);
});

test('an executor of an application that ran before is not charged for time nobody saw', () => {
  const seen = (after: number) => look(after, { containers: [container(T + after)] });
  assert.deepEqual(play([seen(60_000)]).told, ['container-started 60000']);
  assert.deepEqual(play([look(60_000), seen(65_000)]).told, ['container-started 65000']);
});

test('a size that isn’t certain waits for one more look, and keeps the first sight', () => {
  const seen = (after: number, more: Partial<SeenContainer>) =>
    look(after, { containers: [container(T + after, more)] });
  const vague = { sizeCertain: false, resources: { ...SIZE, millicores: 3_000 } };
  const settled = play([seen(60_000, vague), seen(65_000, {})]);
  assert.deepEqual(settled.told, ['container-started 60000']);
  const [start] = settled.facts.filter(({ kind }) => kind === 'container-started');
  assert.equal(start?.kind === 'container-started' && start.resources.millicores, 1_000);
  assert.deepEqual(play([seen(60_000, vague), seen(65_000, vague)]).told, [
    'container-started 60000',
  ]);
});

test('another size counts when two looks in a row say it, from the first of them', () => {
  const seen = (after: number, millicores: number) =>
    look(after, { containers: [container(T + after, { resources: { ...SIZE, millicores } })] });
  const { told } = play([
    seen(1, 1_000),
    seen(2, 2_000),
    seen(3, 1_000),
    seen(4, 2_000),
    seen(5, 2_000),
  ]);
  assert.deepEqual(told, ['container-started 1', 'container-resized 4']);
});

test('a finished executor of a worker stops at its last sight without waiting', () => {
  const ended = [{ container: 'app-1//0', at: undefined, reason: 'finished' }];
  const { told } = play([
    look(0, { containers: [container(T)] }),
    look(5_000, { containers: [container(T + 5_000)] }),
    look(10_000, { ended }),
  ]);
  assert.deepEqual(told, ['container-started 0', 'container-stopped 5000']);
});

test('an executor that was missing before its application ended had ended by itself', () => {
  const end = application({ state: 'ended', endedAt: T + 12_000 });
  const { told } = play([
    look(0, { containers: [container(T), container(T, { container: 'app-1//1' })] }),
    look(5_000, { containers: [container(T + 5_000)] }),
    look(10_000, { containers: [container(T + 10_000)] }),
    look(15_000, { applications: [end] }),
  ]);
  assert.deepEqual(told, [
    'container-started 0',
    'container-started 0',
    'container-stopped 12000',
    'container-stopped 0',
  ]);
});

test('a worker that is no longer listed takes its executors with it, one that failed does not', () => {
  const away = (after: number) => look(after, { answered: new Set(), failed: new Set(['w1']) });
  const unlisted = (after: number) => look(after, { answered: new Set() });
  const first = look(0, { containers: [container(T)] });
  assert.equal(play([first, away(5_000), away(50_000)]).told.length, 1);
  assert.deepEqual(play([first, unlisted(5_000), unlisted(15_000)]).told, [
    'container-started 0',
    'container-stopped 0',
  ]);
  const nothing = look(50_000, { listed: false, answered: new Set(), applications: [] });
  assert.equal(play([first, nothing, { ...nothing, at: T + 99_000 }]).told.length, 1);
});

test('the manager’s clock dates sights, also after a restart', () => {
  const skewed = (after: number) =>
    look(after, { containers: [container(T + after - 90_000, { startedAt: T - 100_000 })] });
  const looks = [skewed(0), skewed(5_000), look(10_000), look(15_000), look(25_000)];
  assert.deepEqual(play(looks).told, ['container-started -100000', 'container-stopped -85000']);
  assert.deepEqual(play(looks, true).told.slice(0, 1), ['container-started -100000']);
});

test('nodes start when first seen, stop at their last sight, and start again with another capacity', () => {
  const nodes = (after: number, ...cores: readonly number[]) =>
    look(after, {
      applications: [],
      nodes: cores.map((n) => ({ node: 'n1', capacity: { ...SIZE, millicores: n } })),
    });
  const looks = [
    nodes(0, 1),
    nodes(5_000, 1),
    nodes(10_000, 2),
    nodes(15_000),
    nodes(30_000),
    nodes(35_000, 2),
  ];
  const { facts } = play(looks);
  assert.deepEqual(
    facts.map(({ kind, at }) => `${kind} ${at - T}`),
    ['node-started 0', 'node-started 10000', 'node-stopped 10000', 'node-started 35000'],
  );
});

test('a node is journaled with market, instance and tags, and other tags are another start', () => {
  const node = { node: 'n1', capacity: SIZE };
  const spot = { ...node, market: 'spot', instance: 'i-1', tags: { a: '1', b: '2' } } as const;
  const looks = [
    look(0, { applications: [], nodes: [spot] }),
    look(5_000, { applications: [], nodes: [{ ...spot, tags: { b: '2', a: '1' } }] }),
    look(10_000, { applications: [], nodes: [{ ...spot, tags: { a: '9' } }] }),
    look(15_000, { applications: [], nodes: [] }),
    look(30_000, { applications: [], nodes: [] }),
  ];
  const { facts } = play(looks);
  const told = facts.filter((fact) => 'node' in fact);
  assert.deepEqual(
    told.map(({ kind, at, market, instance, tags }) => [kind, at - T, market, instance, tags]),
    [
      ['node-started', 0, 'spot', 'i-1', { a: '1', b: '2' }],
      ['node-started', 10_000, 'spot', 'i-1', { a: '9' }],
      ['node-stopped', 10_000, 'spot', 'i-1', { a: '9' }],
    ],
  );
});

const move = fc.record({
  shown: fc.uniqueArray(fc.constantFrom('0', '1', '2'), { maxLength: 3 }),
  answer: fc.constantFrom('whole', 'worker-away', 'nothing'),
  stepMs: fc.constantFrom(1_000, 5_000, 20_000),
});

function looksOf(moves: readonly { shown: string[]; answer: string; stepMs: number }[]) {
  let after = 0;
  return moves.map(({ shown, answer, stepMs }) => {
    after += stepMs;
    if (answer === 'nothing')
      return look(after, { listed: false, answered: new Set(), applications: [] });
    if (answer === 'worker-away') {
      return look(after, { answered: new Set(), failed: new Set(['w1']) });
    }
    const containers = shown.map((n) =>
      container(T + after, { container: `app-1//${n}`, startedAt: T + Number(n) }),
    );
    return look(after, { containers });
  });
}

test('whatever the answers, each start precedes one stop at most, and a stop without a told time stands at a sight', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 12 }), (moves) => {
      const looks = looksOf(moves);
      const { facts } = play(looks);
      const open = new Map<string, number>();
      for (const fact of facts) {
        if (fact.kind === 'container-started') {
          assert.equal(open.has(fact.container), false);
          open.set(fact.container, fact.at);
        } else if (fact.kind === 'container-stopped') {
          assert.ok(fact.at >= (open.get(fact.container) ?? Number.POSITIVE_INFINITY));
          const sights = looks.flatMap(({ containers }) =>
            containers.filter((one) => one.container === fact.container).map((one) => one.seenAt),
          );
          assert.ok(sights.includes(fact.at));
          open.delete(fact.container);
        }
      }
    }),
  );
});

test('restarts between any two looks tell nothing else, only stops may come later', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 12 }), (moves) => {
      const looks = looksOf(moves);
      const straight = new Set(play(looks).facts.map(({ id }) => id));
      for (const { id } of play(looks, true).facts) {
        if (id.includes('/container/') && id.includes('/started')) assert.ok(straight.has(id));
      }
    }),
  );
});

test('state is stored in parts: only what was touched is written again', () => {
  const prefix = clusterPrefix('main');
  const first = observeCluster(EMPTY_STATE, look(0, { containers: [container(T)] }), context);
  const written = stateCheckpoints(prefix, first.after, first.touched, false);
  assert.equal(written.length, 2);
  const second = observeCluster(
    first.after,
    look(5_000, { containers: [container(T + 5_000)] }),
    context,
  );
  const small = stateCheckpoints(prefix, second.after, second.touched, false);
  assert.deepEqual(
    small.map(({ source }) => source),
    [`${prefix}look`],
  );
  const restored = restoreState(prefix, [
    ...written.filter(({ source }) => !source.endsWith('look')),
    ...small,
  ]);
  assert.equal(restored.containers.get('app-1//0')?.lastSeen, T + 5_000);
  assert.equal(restored.lookedAt, T + 5_000);
});

test('the load names the projects that wait, and what the manager tells of its autoscaler', () => {
  const waits = (id: string, cores: number, state: SeenApplication['state'] = 'waiting') =>
    application({ application: id, state, pending: { ...SIZE, millicores: cores * 1_000 } });
  const load = { allocated: SIZE, pending: SIZE, capacity: SIZE, capacityMax: SIZE };
  const loadOf = (applications: readonly SeenApplication[]) => {
    const facts = observeCluster(EMPTY_STATE, look(0, { applications, load }), {
      ...context,
      attribute: ({ application: id }) => ({ project: id.slice(0, 3) as ProjectId, rule: 0 }),
    }).facts;
    return facts.find((fact) => fact.kind === 'load');
  };
  const told = loadOf([
    waits('etl-1', 2),
    waits('ads-1', 1, 'running'),
    waits('etl-2', 3),
    waits('old-1', 9, 'ended'),
    application({ application: 'idl-1' }),
  ]);
  assert.deepEqual(told?.capacityMax, SIZE);
  assert.deepEqual(told?.pendingBy, [
    { project: 'ads', resources: { ...SIZE, millicores: 1_000 } },
    { project: 'etl', resources: { millicores: 5_000, memoryMib: 2_048, gpus: 0 } },
  ]);
  assert.equal(loadOf([application()])?.pendingBy, undefined);
});
