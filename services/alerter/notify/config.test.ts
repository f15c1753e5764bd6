import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig } from '../../../shared/config/describe-config.ts';
import { notifyConfig, receiverProblems } from './config.ts';

const problemsOf = (input: unknown): string[] =>
  (notifyConfig.safeParse(input).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );

test('an empty section has Alertmanager’s timers, and tells nobody', () => {
  const { route } = notifyConfig.parse({});
  assert.deepEqual(
    [route.receiver, route.group_wait, route.group_interval, route.repeat_interval],
    ['', 30_000, 300_000, 14_400_000],
  );
});

test('every option tells its default and what it is for', () => {
  for (const { path, description } of describeConfig(notifyConfig)) {
    assert.notEqual(description, '', path);
  }
  const waits = describeConfig(notifyConfig).find(({ path }) => path === 'route.group_wait');
  assert.equal(waits?.default, '30s');
});

test('all that is wrong with a tree is told at once, with its place', () => {
  const problems = problemsOf({
    route: {
      group_by: ['a', 'a'],
      group_wait: 'soon',
      matchers: ['a=b'],
      routes: [
        { matchers: ['nonsense', 'x=~"("'] },
        { routes: [{ group_by: ['...', 'a'], group_interval: '0s', repeatt: 1 }] },
        { mute_time_intervals: ['nights'] },
      ],
    },
    inhibit_rules: [{ source_matchers: [], target_matchers: ['a=b'] }],
  });
  const expected = [
    /^route\.group_by: names a label twice/,
    /^route\.group_wait: must be a duration/,
    /^route: Unrecognized key: "matchers"/,
    /^route\.routes\.0\.matchers\.0: matcher nonsense: has no label/,
    /^route\.routes\.0\.matchers\.1: matcher x=~"\(": .*RE2/,
    /^route\.routes\.1\.routes\.0\.group_by: has more beside/,
    /^route\.routes\.1\.routes\.0\.group_interval: must be longer/,
    /^route\.routes\.1\.routes\.0: Unrecognized key: "repeatt"/,
    /^inhibit_rules\.0\.source_matchers: needs a matcher/,
  ];
  for (const pattern of expected) {
    assert.ok(
      problems.some((one) => pattern.test(one)),
      `${pattern} in\n${problems.join('\n')}`,
    );
  }
});

test('time intervals and receivers that aren’t there are told with the route that names them', () => {
  const input = {
    route: {
      receiver: 'ops',
      routes: [
        { mute_time_intervals: ['nights'], routes: [{ active_time_intervals: ['office'] }] },
        { receiver: 'pager', routes: [{ receiver: 'pgaer' }] },
      ],
    },
    time_intervals: [{ name: 'office', time_intervals: [{}] }],
  };
  assert.deepEqual(problemsOf(input), [
    'route.routes.0.mute_time_intervals: there is no time interval nights; define it in time_intervals',
  ]);
  const office = { name: 'office', time_intervals: [{}] };
  assert.match(problemsOf({ time_intervals: [office, office] })[0] ?? '', /more than once/);
  const valid = notifyConfig.parse({
    route: { ...input.route, routes: input.route.routes.slice(1) },
  });
  assert.deepEqual(receiverProblems(valid, ['ops', 'pager']), [
    {
      path: ['route', 'routes', 0, 'routes', 0, 'receiver'],
      message: 'there is no receiver pgaer; there are ops, pager',
    },
  ]);
  assert.equal(receiverProblems(notifyConfig.parse({}), []).length, 0);
});
