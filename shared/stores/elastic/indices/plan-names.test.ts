import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isProjectId, type ProjectId } from '../../../values/project-id.ts';
import {
  indexName,
  ownPattern,
  ownStem,
  parseIndexName,
  pooledPattern,
  poolStem,
  projectAlias,
} from './plan-names.ts';

const PREFIX = 'tollgate-logs';
const AT = Date.UTC(2026, 10, 21, 9);

/** Names made of what the plan's own names are made of, so that a clash would be found. */
const projectIds = fc
  .array(
    fc.constantFrom('etl', 'pool', 'pooled', '0', '03', '-', '.', '_', '2026.11', '21', 'daily'),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.join('').slice(0, 63))
  .filter(isProjectId)
  .map((id) => id as ProjectId);

const stems = fc.oneof(
  fc
    .tuple(projectIds, fc.constantFrom('day' as const, 'month' as const))
    .map(([project, period]) => ownStem(PREFIX, project, period)),
  fc.tuple(fc.nat(999), fc.nat(98)).map(([generation, pool]) => poolStem(PREFIX, generation, pool)),
);
const instants = fc.integer({ min: 0, max: Date.UTC(9_999, 11, 31) });

test('names are what is expected of them', () => {
  const etl = 'etl' as ProjectId;
  assert.equal(indexName(ownStem(PREFIX, etl, 'day'), AT), 'tollgate-logs-etl~daily-2026.11.21');
  assert.equal(indexName(ownStem(PREFIX, etl, 'month'), AT), 'tollgate-logs-etl~monthly-2026.11');
  assert.equal(indexName(poolStem(PREFIX, 2, 3), AT), 'tollgate-logs-~pool-2-03-2026.11');
});

test('a name says which stem and period it is of', () => {
  fc.assert(
    fc.property(stems, instants, (stem, at) => {
      const parsed = parseIndexName(PREFIX, indexName(stem, at));
      assert.deepEqual(parsed?.stem, stem);
      assert.ok(parsed !== undefined && parsed.start <= at && at < parsed.end);
    }),
  );
});

test('names are lower case, short, and hold no sign that Elasticsearch refuses', () => {
  const longest = 'x'.repeat(63) as ProjectId;
  const name = indexName(ownStem(PREFIX, longest, 'day'), AT);
  assert.ok(Buffer.byteLength(name) <= 255);
  fc.assert(
    fc.property(stems, instants, (stem, at) => {
      assert.match(indexName(stem, at), /^[a-z0-9][a-z0-9._~-]*$/);
    }),
  );
});

test('no name of two owners is the same, and no pattern reaches another owner', () => {
  fc.assert(
    fc.property(projectIds, stems, instants, (project, stem, at) => {
      const name = indexName(stem, at);
      const owner = parseIndexName(PREFIX, name)?.project;
      assert.equal(matches(ownPattern(PREFIX, project), name), owner === project);
      assert.equal(matches(pooledPattern(PREFIX), name), owner === undefined);
      assert.notEqual(projectAlias(PREFIX, project), name);
    }),
    { numRuns: 1_000 },
  );
});

test('indices of others are no indices of the plan', () => {
  for (const name of [
    'tollgate-plan',
    'tollgate-logs',
    'tollgate-logs-etl',
    'tollgate-logs-2026.11.21',
    'tollgate-logs-etl-2026.11.21',
    'tollgate-logs-etl~daily-2026.11',
    'tollgate-logs-etl~monthly-2026.11.21',
    'tollgate-logs-etl~weekly-2026.11',
    'tollgate-logs-etl~daily-2026.02.30',
    'tollgate-logs-etl~monthly-2026.13',
    'tollgate-logs-etl~monthly-0026.11',
    'tollgate-logs-~pool-0-3-2026.11',
    'tollgate-logs-~pool-00-03-2026.11',
    'tollgate-logs2-etl~daily-2026.11.21',
    'other-etl~daily-2026.11.21',
    '.kibana-2026.11.21',
    '',
  ]) {
    assert.equal(parseIndexName(PREFIX, name), undefined, name);
  }
});

/** As Elasticsearch matches: `*` is anything, every other sign is itself. */
function matches(pattern: string, name: string): boolean {
  assert.ok(pattern.endsWith('*') && pattern.indexOf('*') === pattern.length - 1);
  return name.startsWith(pattern.slice(0, -1));
}
