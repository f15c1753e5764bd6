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

test('nodes, load and ends are taken as well', async () => {
  const { bench, send } = await sending();
  await using _ = bench;
  const capacity = { millicores: 64_000, memoryMib: 262_144 };
  const none = { millicores: 0, memoryMib: 0 };
  const answer = await send(
    { kind: 'node-started', id: 'n', at: NOW, node: 'n1', capacity, market: 'spot' },
    { kind: 'load', id: 'l', at: NOW, allocated: none, pending: none, capacity },
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
  assert.equal(answer.stored, 4);
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
