import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { InfluxDeclarations } from './influx-declarations.ts';
import type { SendAnswer } from './line-sender.ts';
import { MetricSchema } from './metric-schema.ts';
import { emptyColumns, type PointColumns } from './point-lines.ts';
import { storePoints } from './store-points.ts';

function columns(kinds: readonly Kind[]): PointColumns {
  const schema = new MetricSchema([{ measurement: 'm', fields: ['*'] }]);
  const declarations = new InfluxDeclarations(schema, { maxRawSeries: 9_999, maxFields: 99 });
  const found = emptyColumns(kinds.length);
  kinds.forEach((kind, i) => {
    // Fields of one line, so that a refused field takes its neighbours with it.
    const tags = { project: 'p', executor: `${Math.floor(i / 4)}` };
    const ref = declarations.declare({ measurement: 'm', field: `${kind}${i % 4}`, tags });
    found.series[i] = declarations.get(ref);
    found.at[i] = kind === 'old' ? 0 : 1;
    found.value[i] = i;
  });
  found.length = kinds.length;
  return found;
}

type Kind = 'good' | 'conflict' | 'broken' | 'old';

/** Keeps what a server would: of a batch with a broken line, a 2.x server keeps nothing. */
function serverOf(version: 1 | 2, maxBytes = Number.POSITIVE_INFINITY) {
  const values = new Set<number>();
  const requests = { count: 0 };
  const send = (text: string): Promise<SendAnswer | undefined> => {
    requests.count += 1;
    if (text.length > maxBytes) return Promise.resolve({ kind: 'too-large' });
    const lines = text.split('\n').slice(0, -1);
    const bad = (kind: Kind): string[] => lines.filter((line) => line.includes(kind));
    const keep = (): void => {
      const good = lines.filter((line) => !/conflict|broken| 0$/.test(line));
      for (const [, value] of good.join('').matchAll(/good\d=(\d+)/g)) values.add(Number(value));
    };
    const refused = (reason: 'type-conflict' | 'malformed'): SendAnswer => ({
      kind: 'refused',
      reason,
      detail: `about ${lines.length}`,
    });
    if (bad('broken').length > 0) {
      if (version === 1) keep();
      return Promise.resolve(refused('malformed'));
    }
    keep();
    if (bad('conflict').length > 0) return Promise.resolve(refused('type-conflict'));
    const old = lines.filter((line) => line.endsWith(' 0')).length;
    return Promise.resolve(old > 0 ? { kind: 'beyond-retention', dropped: old } : undefined);
  };
  return { send, values, requests };
}

const kinds = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.constant<Kind>('good') },
    { weight: 1, arbitrary: fc.constantFrom<Kind>('conflict', 'broken', 'old') },
  ),
  { maxLength: 80 },
);

for (const version of [1, 2] as const) {
  test(`of any batch a ${version}.x server keeps all good points, and each bad one is told`, () =>
    fc.assert(
      fc.asyncProperty(kinds, fc.integer({ min: 30, max: 4_000 }), async (batch, maxBytes) => {
        const server = serverOf(version);
        const refused = new Map<number, string>();
        let old = 0;
        await storePoints(
          {
            send: server.send,
            maxBytes,
            onFate: (fate, points) => {
              assert.equal(fate, 'beyond-retention');
              old += points;
            },
            onRefused: ({ value, reason, series }) => {
              assert.equal(series.tags['project'], 'p');
              assert.ok(!refused.has(value), 'told once');
              refused.set(value, reason);
              return Promise.resolve();
            },
          },
          columns(batch),
        );
        const those = (kind: Kind): number[] =>
          batch.flatMap((one, i) => (one === kind ? [i] : []));
        assert.deepEqual(
          [...server.values].sort((a, b) => a - b),
          those('good'),
        );
        assert.equal(old, those('old').length);
        assert.deepEqual(
          [...refused].sort(([a], [b]) => a - b),
          batch.flatMap((one, i) =>
            one === 'conflict'
              ? [[i, 'type-conflict']]
              : one === 'broken'
                ? [[i, 'malformed']]
                : [],
          ),
        );
      }),
      { numRuns: 60 },
    ));
}

test('one bad point of a thousand costs few requests', async () => {
  const server = serverOf(2);
  const batch = Array.from({ length: 1_024 }, (_, i): Kind => (i === 700 ? 'broken' : 'good'));
  const deps = { send: server.send, maxBytes: 1e9, onFate: () => assert.fail() };
  await storePoints({ ...deps, onRefused: () => Promise.resolve() }, columns(batch));
  assert.equal(server.values.size, 1_023);
  assert.ok(server.requests.count <= 2 * 10 + 1, `${server.requests.count}`);
});

test('a request that is too large is halved, and a point that is too large alone is told', async () => {
  const server = serverOf(1, 200);
  const told: string[] = [];
  const deps = { maxBytes: 1e9, onFate: () => assert.fail() };
  const onRefused = ({ reason }: { reason: string }) => Promise.resolve(void told.push(reason));
  const batch = new Array<Kind>(100).fill('good');
  await storePoints({ ...deps, send: server.send, onRefused }, columns(batch));
  assert.deepEqual([server.values.size, told], [100, []]);
  const narrow = serverOf(1, 10);
  await storePoints({ ...deps, send: narrow.send, onRefused }, columns(['good', 'good']));
  assert.deepEqual(told, ['too-large', 'too-large']);
});
