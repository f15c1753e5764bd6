import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notifyConfig } from './config.ts';
import { compileRoutes, groupKeyFor, groupLabelsFor, routesFor } from './routes.ts';

const tree = compileRoutes(
  notifyConfig.parse({
    route: {
      receiver: 'ops',
      group_by: ['alertname'],
      routes: [
        { matchers: ['severity=critical'], receiver: 'pager', continue: true, group_wait: '0s' },
        {
          matchers: ['team=~"a|b"'],
          receiver: 'teams',
          routes: [
            { matchers: ['team=a'], receiver: 'a', group_by: ['...'] },
            { matchers: ['team=a'], receiver: 'never' },
          ],
        },
        { matchers: ['severity=critical'], receiver: 'late' },
      ],
    },
  }),
);

const receiversFor = (labels: Record<string, string>): string[] =>
  routesFor(tree, labels).map(({ receiver }) => receiver);

test('an alert takes the deepest route of the first branch, and the next where one says so', () => {
  assert.deepEqual(receiversFor({}), ['ops']);
  assert.deepEqual(receiversFor({ team: 'a' }), ['a']);
  assert.deepEqual(receiversFor({ team: 'b' }), ['teams']);
  assert.deepEqual(receiversFor({ severity: 'critical', team: 'b' }), ['pager', 'teams']);
  assert.deepEqual(receiversFor({ severity: 'critical' }), ['pager', 'late']);
});

test('what a route does not say is its parent’s', () => {
  const [pager, teams] = routesFor(tree, { severity: 'critical', team: 'b' });
  assert.deepEqual([pager?.groupWaitMs, teams?.groupWaitMs], [0, 30_000]);
  assert.deepEqual(teams?.groupBy, ['alertname']);
});

test('groups are made of the labels that are there; all of them where a route says so', () => {
  const [root] = routesFor(tree, {});
  const [all] = routesFor(tree, { team: 'a' });
  assert.ok(root !== undefined && all !== undefined);
  const labels = { team: 'a', alertname: 'x', empty: '' };
  assert.deepEqual(groupLabelsFor(root, labels), { alertname: 'x' });
  assert.deepEqual(groupLabelsFor(all, labels), { alertname: 'x', team: 'a' });
  assert.equal(groupKeyFor(root, { a: '1', b: '2' }), groupKeyFor(root, { b: '2', a: '1' }));
  assert.notEqual(groupKeyFor(root, { a: '1' }), groupKeyFor(all, { a: '1' }));
  assert.ok(groupKeyFor(root, { a: 'x'.repeat(9_999) }).length < 60);
});
