import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsConfig } from './config.ts';

test('nothing configured gives one listener on loopback, on the port of Graphite', () => {
  const { graphite } = metricsConfig.parse({});
  assert.deepEqual(
    graphite.map(({ host, port, cluster, project }) => [host, port, cluster, project]),
    [['127.0.0.1', 2003, 'default', undefined]],
  );
  assert.deepEqual(metricsConfig.parse({ graphite: [] }).graphite, []);
});

test('a project that is none and a limit that is none are refused, all at once', () => {
  const read = metricsConfig.safeParse({
    graphite: [{ project: 'Not A Project' }],
    maxLineBytes: -1,
  });
  assert.deepEqual(
    read.error?.issues.map(({ path }) => path.join('.')),
    ['graphite.0.project', 'maxLineBytes'],
  );
});
