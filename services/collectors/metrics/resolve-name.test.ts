import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { type NameRules, resolveName } from './resolve-name.ts';

const SOURCE = { cluster: 'c1', projectFromPrefix: false, prefixSegments: 0 };
const NAME = 'prod.local-1.driver.jvm.heap.used';

function resolve(name: string, rules: Partial<NameRules> = {}) {
  return resolveName(name, { source: SOURCE, projectOf: () => undefined, ...rules });
}

test('ids are tags, beside cluster, project and prefix', () => {
  assert.deepEqual(resolve(NAME, { projectOf: () => 'etl' as ProjectId }), {
    series: {
      measurement: 'jvm',
      field: 'heap.used',
      tags: {
        project: 'etl',
        cluster: 'c1',
        prefix: 'prod',
        application: 'local-1',
        executor: 'driver',
      },
    },
    provisional: false,
  });
});

test("a name cannot take another project or cluster by its own tags' values", () => {
  const resolved = resolve('ns.driver.spark.streaming.project.latency');
  assert.deepEqual('series' in resolved && resolved.series.tags, {
    project: 'unattributed',
    cluster: 'c1',
    namespace: 'ns',
    executor: 'driver',
    query: 'project',
  });
});

test('the lookup is asked about cluster and application, only where nothing else decides', () => {
  const asked: string[] = [];
  const projectOf = (cluster: string, application: string): undefined => {
    asked.push(`${cluster} ${application}`);
  };
  const provisional = (name: string, source: object): unknown => {
    const resolved = resolve(name, { projectOf, source: { ...SOURCE, ...source } });
    return 'series' in resolved && [resolved.series.tags['project'], resolved.provisional];
  };
  assert.deepEqual(provisional(NAME, { project: 'ads' }), ['ads', false]);
  assert.deepEqual(provisional(NAME, { projectFromPrefix: true }), ['prod', false]);
  assert.deepEqual(provisional('prod.master.apps', {}), ['unattributed', false]);
  assert.deepEqual(asked, []);
  assert.deepEqual(provisional(NAME, {}), ['unattributed', true]);
  assert.deepEqual(asked, ['c1 local-1']);
});

test('names are read as UTF-8, and refused when they are none or hold control characters', () => {
  const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
  const resolved = resolve(latin1('größe.driver.jvm.heap.used'));
  assert.equal('series' in resolved && resolved.series.tags['namespace'], 'größe');
  assert.deepEqual(resolve('\xff.driver.jvm.heap.used'), { reason: 'not-utf8' });
  assert.deepEqual(resolve('a\u001b[2J.driver.jvm.heap.used'), { reason: 'control-character' });
  assert.deepEqual(resolve(`${'x'.repeat(1100)}.driver.jvm.heap.used`), {
    reason: 'name-too-long',
  });
  assert.deepEqual(resolve('servers.web1.load'), { reason: 'unknown-name' });
});
