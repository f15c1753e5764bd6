import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_RULE } from '../../../shared/contracts/container-fact.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { collectorSuite } from '../../../test/contracts/collector-suite.ts';
import { ContainersBench } from '../../../test/support/containers-bench.ts';
import { containersConfig } from './config.ts';
import { parsePushed } from './parse/parse-pushed.ts';
import { startContainers } from './start.ts';

const NOW = Date.UTC(2026, 10, 21, 9);
const RESOURCES = { millicores: 2_000, memoryMib: 4_096 };

const started = (n: number, more: object = {}) => ({
  kind: 'container-started',
  id: `start-${n}`,
  at: '2026-11-21T08:00:00Z',
  container: `app-1//${n}`,
  application: 'app-1',
  resources: RESOURCES,
  ...more,
});

/** Where two ms of a slot went. */
const activity = (more: object = {}) => ({
  ...{ kind: 'activity', application: 'app-1', attempt: '1', at: NOW },
  ...{ slotMs: 4, usefulMs: 2, wastedMs: 0, idleMs: 2, tailMs: 0, startUpMs: 0 },
  ...more,
});

collectorSuite({
  name: 'containers',
  good: (n) => JSON.stringify(started(n)),
  bad: {
    'no JSON': '{"kind":',
    'no object': '[]',
    'another kind': JSON.stringify({ ...started(1), kind: 'container-paused' }),
    'no container': JSON.stringify({ ...started(1), container: '' }),
    'negative memory': JSON.stringify(started(1, { resources: { ...RESOURCES, memoryMib: -1 } })),
    'a time without a zone': JSON.stringify(started(1, { at: '2026-11-21T08:00:00' })),
    'a far future': JSON.stringify(started(1, { at: 4e12 })),
    'another witness': JSON.stringify(started(1, { witness: 'yarn' })),
    'slot time that doesn’t add up': JSON.stringify(activity({ idleMs: 3 })),
    'negative slot time': JSON.stringify(activity({ slotMs: 0, usefulMs: -2 })),
    'an endless name': JSON.stringify(started(1, { host: 'x'.repeat(70_000) })),
  },
  async open() {
    const bench = await ContainersBench.open(NOW);
    return {
      quarantine: bench.quarantine,
      start: (deps) =>
        startContainers({
          ...deps,
          config: containersConfig.parse(undefined),
          journal: bench.ledger.journalWriter,
        }),
      stored: async () => (await bench.facts('container-started')).length,
      [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
    };
  },
});

async function sending(more: object = {}) {
  const bench = await ContainersBench.open(NOW);
  const collector = await bench.start({ ...more });
  const send = (...records: readonly object[]) =>
    collector.ingest({
      body: new TextEncoder().encode(records.map((one) => `${JSON.stringify(one)}\n`).join('')),
      project: 'science' as ProjectId,
      cluster: 'main',
      receivedAt: NOW,
    });
  return { bench, collector, send };
}

test('a pushed container is a fact of the witness agent, with whole resources and its time in ms', async () => {
  const { bench, send } = await sending();
  await using _ = bench;
  await send(started(1, { cluster: 'other', role: 'driver', unknown: 'key' }));
  assert.deepEqual(
    await bench.facts('container-started'),
    [
      {
        kind: 'container-started',
        id: 'other/agent/start-1',
        cluster: 'other',
        witness: 'agent',
        at: Date.UTC(2026, 10, 21, 8),
        container: 'app-1//1',
        application: 'app-1',
        attempt: '',
        role: 'driver',
        resources: { ...RESOURCES, gpus: 0 },
        host: '',
        reason: '',
        unknown: undefined,
      },
    ].map(({ unknown: _unknown, ...fact }) => fact),
  );
});

test('a sight moves the evidence of its container, and an older one doesn’t move it back', async () => {
  const { bench, send } = await sending();
  await using _ = bench;
  await send(started(1));
  const seen = (until: number) => ({ kind: 'seen', container: 'app-1//1', until });
  const answer = await send(seen(NOW), seen(NOW - 5_000));
  assert.equal(answer.stored, 2);
  assert.equal(await bench.evidence('main', 'app-1//1'), NOW);
});

test('the same id with another body is refused, and the first one stands', async () => {
  const { bench, send } = await sending();
  await using _ = bench;
  await send(started(1));
  const answer = await send(started(2), started(1, { application: 'app-2' }));
  assert.deepEqual(answer, {
    stored: 1,
    duplicates: 0,
    dropped: 0,
    quarantined: 1,
    verdicts: [{ line: 2, fate: 'quarantined', reason: 'conflicting-id' }],
  });
  const facts = await bench.facts('container-started');
  assert.deepEqual(
    facts.map(({ application }) => application),
    ['app-1', 'app-1'],
  );
  assert.equal([...bench.quarantine.records.values()][0]?.reason, 'conflicting-id');
});

test('rules give an application its project; what its sender named counts only below them', async () => {
  const { bench, send } = await sending({ attribution: [{ user: 'alice', project: 'etl' }] });
  await using _ = bench;
  const seen = (id: string, more: object) => {
    return { kind: 'application-seen', id, at: NOW, application: id, ...more };
  };
  await send(
    seen('ruled', { user: 'alice', project: 'mine' }),
    seen('named', { user: 'bob', project: 'Mine' }),
    seen('header', { user: 'bob' }),
  );
  const facts = await bench.facts('application-seen');
  assert.deepEqual(
    facts.map(({ application, project, rule }) => [application, project, rule]),
    [
      ['ruled', 'etl', 0],
      ['named', 'mine', NO_RULE - 1],
      ['header', 'science', NO_RULE - 1],
    ],
  );
});

test('a project that user and queue may not use is kept as a claim, and no more', async () => {
  const claimants = [{ project: 'pay', users: ['alice'] }];
  const attribution = [{ projectFromConfiguration: 'p', claimants }];
  const { bench, send } = await sending({ attribution });
  await using _ = bench;
  const seen = (id: string, user: string) => {
    const configuration = { p: 'pay' };
    return { kind: 'application-seen', id, at: NOW, application: id, user, configuration };
  };
  await send(seen('mine', 'alice'), seen('foreign', 'mallory'));
  const facts = await bench.facts('application-seen');
  assert.deepEqual(
    facts.map(({ application, project, rule, claimed }) => [application, project, rule, claimed]),
    [
      ['mine', 'pay', 0, undefined],
      ['foreign', 'unattributed', 0, 'pay'],
    ],
  );
});

test('nodes, load and ends are taken as well', async () => {
  const { bench, send } = await sending();
  await using _ = bench;
  const capacity = { millicores: 64_000, memoryMib: 262_144 };
  const none = { millicores: 0, memoryMib: 0 };
  const answer = await send(
    { kind: 'node-started', id: 'n', at: NOW, node: 'n1', capacity, market: 'spot' },
    { kind: 'load', id: 'l', at: NOW, allocated: none, pending: none, capacity },
    {
      ...{ kind: 'load', id: 'm', at: NOW, allocated: none, pending: none, capacity },
      capacityMax: { ...capacity, gpus: 8 },
    },
    {
      kind: 'container-stopped',
      id: 's',
      at: NOW,
      container: 'c',
      application: 'a',
      reason: 'done',
    },
    { kind: 'application-ended', id: 'e', at: NOW, application: 'a' },
  );
  assert.deepEqual(answer.verdicts, []);
  assert.equal(answer.stored, 5);
  const loads = await bench.facts('load');
  assert.deepEqual(
    loads.map(({ capacityMax }) => capacityMax?.gpus),
    [undefined, 8],
  );
});

test('a clock more than five minutes ahead is not believed until its time has come', async () => {
  const { bench, collector, send } = await sending();
  await using _ = bench;
  assert.equal((await send(started(1, { at: NOW + 300_000 }))).stored, 1);
  const { verdicts } = await send(started(2, { at: NOW + 300_001 }));
  assert.deepEqual(verdicts, [{ line: 1, fate: 'quarantined', reason: 'implausible-time' }]);
  const waiting = [...bench.quarantine.records.values()];
  assert.equal((await collector.replay(waiting)).stored, 0);
  await bench.clock.advance(1);
  assert.equal((await collector.replay(waiting)).stored, 1);
  assert.equal(bench.quarantine.records.size, 0);
});

test('what waits in quarantine can be sent through again, and leaves it when it is stored', async () => {
  const { bench, collector, send } = await sending();
  await using _ = bench;
  await send({ kind: 'nothing' });
  const [refused] = bench.quarantine.records.values();
  assert.ok(refused !== undefined);
  const repaired = { ...refused, raw: JSON.stringify(started(7)) };
  assert.equal((await collector.replay([refused])).quarantined, 1);
  assert.equal(bench.quarantine.records.size, 1);
  assert.equal((await collector.replay([repaired])).stored, 1);
  assert.equal(bench.quarantine.records.size, 0);
});

test('when too much waits the answer is OVERLOADED, at once', async () => {
  const { bench, send } = await sending({ queueBytes: 65_536 });
  await using _ = bench;
  const many = Array.from({ length: 400 }, (_one, n) => started(n));
  const first = send(...many);
  await assert.rejects(send(...many), (error) => {
    return error instanceof AppError && error.code === 'OVERLOADED';
  });
  assert.equal((await first).stored, 400);
  assert.equal((await send(...many)).duplicates, 400);
});

/** Sends as a token does that is bound to some projects. */
async function sendingAs(projects: readonly string[], more: object = {}) {
  const { bench, collector, send } = await sending(more);
  const onlyProjects = projects as readonly ProjectId[];
  const sendBound = (...records: readonly object[]) =>
    collector.ingest({
      body: new TextEncoder().encode(records.map((one) => JSON.stringify(one)).join('\n')),
      project: onlyProjects[0],
      onlyProjects,
      cluster: 'main',
      receivedAt: NOW,
    });
  return { bench, collector, send, sendBound };
}

const ownSeen = (application: string, more: object = {}) => {
  const id = `${application}//application/seen`;
  return { kind: 'application-seen', id, at: NOW, application, ...more };
};
const ownStarted = (application: string, more: object = {}) => {
  const id = `${application}//container/1/started`;
  return { ...started(1), id, application, container: `${application}//1`, ...more };
};

test('a token of a project tells of the applications that it claims, with their containers', async () => {
  const { bench, sendBound } = await sendingAs(['etl']);
  await using _ = bench;
  // In any order within a body, and in later bodies without saying it again.
  const first = await sendBound(ownStarted('app-1'), ownSeen('app-1', { project: 'etl' }));
  assert.deepEqual([first.stored, first.verdicts], [2, []]);
  const seen = { kind: 'seen', container: 'app-1//1', until: NOW };
  const stopped = { ...ownStarted('app-1'), kind: 'container-stopped', id: 'app-1//container/1/x' };
  assert.equal((await sendBound(seen, stopped)).stored, 2);
  const [fact] = await bench.facts('application-seen');
  assert.deepEqual([fact?.project, fact?.rule], ['etl', NO_RULE - 1]);
});

test('what is another project’s, nobody’s or everybody’s is out of a bound token’s reach', async () => {
  const { bench, send, sendBound } = await sendingAs(['etl']);
  await using _ = bench;
  await send(
    ownSeen('app-ml', { project: 'ml' }),
    ownSeen('app-none', { project: 'unattributed' }),
  );
  const yarn = 'container_1_0002_01_000001';
  const none = { millicores: 0, memoryMib: 0 };
  const refused = {
    'a container of another project’s application': ownStarted('app-ml'),
    'another project’s application, claimed': ownSeen('app-ml', {
      id: 'app-ml//2',
      project: 'etl',
    }),
    'a container of an application that nobody has named': ownStarted('app-new'),
    'an application for another project': ownSeen('app-x', { project: 'ml' }),
    'a container of another application': ownStarted('app-1', { container: 'app-ml//1' }),
    'YARN’s container of another application': ownStarted('app-1', { container: yarn }),
    'the id of another application’s fact': ownStarted('app-1', {
      id: 'app-ml//container/1/started',
    }),
    'a sight of a foreign container': { kind: 'seen', container: 'app-ml//1', until: NOW },
    load: { kind: 'load', id: 'app-1/l', at: NOW, allocated: none, pending: none, capacity: none },
    'a node': { kind: 'node-started', id: 'app-1/n', at: NOW, node: 'n1' },
    'another project’s slot time': activity({ application: 'app-ml' }),
  };
  assert.equal((await sendBound(ownSeen('app-1'))).stored, 1);
  for (const [name, record] of Object.entries(refused)) {
    const answer = await sendBound(record);
    const verdicts = [{ line: 1, fate: 'dropped', reason: 'foreign-project' }];
    assert.deepEqual(answer.verdicts, verdicts, name);
    assert.deepEqual([answer.stored, answer.dropped, answer.quarantined], [0, 1, 0], name);
  }
  assert.equal(bench.quarantine.records.size, 0, 'a replay would store it');
  // What nobody pays for yet may be claimed.
  assert.equal((await sendBound(ownSeen('app-none', { id: 'app-none//2' }))).stored, 1);
});

test('a rule gives a bound sender no project that its token doesn’t see', async () => {
  const attribution = [{ user: 'alice', project: 'ml' }];
  const { bench, sendBound } = await sendingAs(['etl'], { attribution });
  await using _ = bench;
  await sendBound(ownSeen('app-1', { user: 'alice' }));
  const [fact] = await bench.facts('application-seen');
  assert.deepEqual([fact?.project, fact?.rule], ['etl', NO_RULE - 1]);
});

test('a token bound to a project may use it, whoever its user is', async () => {
  const claimants = [{ project: '*' }];
  const attribution = [{ projectFromConfiguration: 'p', claimants }];
  const { bench, sendBound } = await sendingAs(['etl'], { attribution });
  await using _ = bench;
  await sendBound(ownSeen('app-1', { configuration: { p: 'etl' } }));
  const [fact] = await bench.facts('application-seen');
  assert.deepEqual([fact?.project, fact?.rule, fact?.claimed], ['etl', 0, undefined]);
});

test('a bound sender’s line stays bound when it is replayed', async () => {
  const { bench, collector, sendBound } = await sendingAs(['etl']);
  await using _ = bench;
  const early = ownSeen('app-1', { at: NOW + 9 * 86_400_000, project: 'etl' });
  assert.equal((await sendBound(early)).quarantined, 1);
  const [refused] = bench.quarantine.records.values();
  assert.ok(refused !== undefined);
  const raw = JSON.stringify(ownSeen('app-1', { project: 'ml' }));
  assert.equal((await collector.replay([{ ...refused, raw }])).dropped, 1);
  assert.deepEqual(await bench.facts('application-seen'), []);
});

test('YARN’s containers are as large as their cluster rounds them up to', async () => {
  const clusters = [{ id: 'main', yarnMemoryStepMib: 1_024 }];
  const { bench, send } = await sending({ clusters });
  await using _ = bench;
  const resources = { millicores: 1_000, memoryMib: 1_984 };
  const yarn = { container: 'container_1_0002_01_000001', resources };
  await send(
    started(1, yarn),
    started(2, { resources }),
    started(3, { ...yarn, cluster: 'other' }),
  );
  const facts = await bench.facts('container-started');
  assert.deepEqual(
    facts.map((fact) => fact.resources.memoryMib),
    [2_048, 1_984, 1_984],
  );
});

test('any line is kept or quarantined with a reason, and hostile keys are data', () => {
  const context = {
    cluster: 'main',
    project: undefined,
    now: NOW,
    attribute: () => ({ project: 'p' as ProjectId, rule: 0 }),
  };
  const line = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({ kind: fc.constantFrom('seen', 'load', 'container-started'), id: fc.jsonValue() })
      .map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(line, (text) => {
      const fate = parsePushed(text, context);
      assert.ok(fate.fate === 'kept' || /^[a-z-]+$/.test(fate.reason));
    }),
  );
  const hostile = `{"kind":"application-seen","id":"x","at":${NOW},"application":"a","tags":{"__proto__":"p"}}`;
  assert.equal(parsePushed(hostile, context).fate, 'kept');
  assert.equal(Object.hasOwn(Object.prototype, 'p'), false);
});
