import { z } from 'zod';
import { parseMatchers } from '../../../shared/silences/label-matcher.ts';
import { duration, span } from '../rules/duration.ts';
import { timeInterval } from './time-interval.ts';

// The notation in here is Alertmanager's, so that a route tree, inhibitions and time intervals that
// somebody has can be used as they are.

const matchers = (sentence: string) =>
  z
    .array(
      z.string().transform((text, context) => {
        const parsed = parseMatchers(text);
        if ('matchers' in parsed) return parsed.matchers;
        context.addIssue({ code: 'custom', message: `matcher ${text}: ${parsed.problem}` });
        return z.NEVER;
      }),
    )
    .max(100)
    .transform((lists) => lists.flat())
    .describe(sentence);

const groupBy = z
  .array(z.string().min(1))
  .refine((names) => new Set(names).size === names.length, 'names a label twice')
  .refine((names) => !names.includes('...') || names.length === 1, "has more beside '...'")
  .describe("Labels whose equal values make a group; ['...'] tells of each alert alone.");

const timers = {
  group_wait: duration('How long the first alert of a group waits for others.'),
  group_interval: span('Least time between two messages of a group.'),
  repeat_interval: span('After so long a group that still fires is told of again.'),
};

const intervalNames = (sentence: string) => z.array(z.string()).default([]).describe(sentence);

/** A route below the root. What it doesn't say is its parent's. */
const childRoute = z.strictObject({
  receiver: z.string().min(1).optional().describe('Name of a receiver.'),
  group_by: groupBy.optional(),
  group_wait: timers.group_wait.optional(),
  group_interval: timers.group_interval.optional(),
  repeat_interval: timers.repeat_interval.optional(),
  matchers: matchers('Takes alerts whose labels match all, such as severity="critical".').prefault(
    [],
  ),
  continue: z.boolean().default(false).describe('Looks at the next routes, too.'),
  mute_time_intervals: intervalNames('Says nothing in these time intervals.'),
  active_time_intervals: intervalNames('Says nothing outside of these time intervals.'),
  get routes(): z.ZodPrefault<z.ZodArray<typeof childRoute>> {
    return z.array(childRoute).prefault([]).describe('Routes below, tried first.');
  },
});

export type ChildRoute = z.output<typeof childRoute>;

const rootRoute = z.strictObject({
  receiver: z.string().default('').describe('Who is told; empty: alerts are shown, and not sent.'),
  group_by: groupBy.prefault(['alertname', 'project']),
  group_wait: timers.group_wait.prefault('30s'),
  group_interval: timers.group_interval.prefault('5m'),
  repeat_interval: timers.repeat_interval.prefault('4h'),
  routes: z
    .array(childRoute)
    .default([])
    .describe('Routes below, tried in order; the first takes.'),
});

const inhibitRule = z.strictObject({
  name: z.string().default('').describe('For people.'),
  source_matchers: matchers('Alerts that, while they fire, mute others.').refine(
    (list) => list.length > 0,
    'needs a matcher: it would mute by every alert',
  ),
  target_matchers: matchers('Alerts that are muted.').refine(
    (list) => list.length > 0,
    'needs a matcher: it would mute every alert',
  ),
  equal: z.array(z.string().min(1)).default([]).describe('Labels that must be the same in both.'),
});

const namedIntervals = z.strictObject({
  name: z.string().min(1).describe('Name that routes give it.'),
  time_intervals: z.array(timeInterval).min(1).describe('Spans; one of them must hold.'),
});

/** Every route of the tree with its path, such as `route.routes.0`. */
function everyRoute(
  routes: readonly ChildRoute[],
  path: readonly (string | number)[],
): { readonly route: ChildRoute; readonly path: readonly (string | number)[] }[] {
  return routes.flatMap((route, i) => {
    const own = [...path, 'routes', i];
    return [{ route, path: own }, ...everyRoute(route.routes, own)];
  });
}

/** Options of who is told of alerts, when, and when not. */
export const notifyConfig = z
  .strictObject({
    route: rootRoute.prefault({}).describe('Who is told of which alerts.'),
    inhibit_rules: z
      .array(inhibitRule)
      .max(1_000)
      .prefault([])
      .describe('Alerts that mute others.'),
    time_intervals: z
      .array(namedIntervals)
      .prefault([])
      .describe('Named spans of time for routes.'),
    silence_notice: duration('How long before a silence ends that is told.').prefault('15m'),
    flapping: z
      .strictObject({
        times: z.number().int().min(2).max(100).default(4).describe('So many firings…'),
        within: span('…in so long are flapping.').prefault('1h'),
        hold: span('How long such an alert must be quiet before its end is told.').prefault('15m'),
      })
      .prefault({})
      .describe('Alerts that come and go.'),
    storm: z
      .strictObject({
        messages: z.number().int().min(1).max(1_000).default(20).describe('More messages…'),
        within: span('…in so long become one.').prefault('1m'),
      })
      .prefault({})
      .describe('What a receiver takes before groups are told of together.'),
    warm_up: duration(
      'Longest time after a start that alerts which may be inhibited wait for their inhibitors.',
    ).prefault('1m'),
  })
  .superRefine(({ route, time_intervals: intervals }, context) => {
    const names = intervals.map(({ name }) => name);
    const twice = new Set(names.filter((name, i) => names.indexOf(name) !== i));
    for (const name of twice) {
      const message = `time interval ${name} stands in it more than once`;
      context.addIssue({ code: 'custom', path: ['time_intervals'], message });
    }
    for (const { route: child, path } of everyRoute(route.routes, ['route'])) {
      for (const list of ['mute_time_intervals', 'active_time_intervals'] as const) {
        for (const name of child[list].filter((one) => !names.includes(one))) {
          const message = `there is no time interval ${name}; define it in time_intervals`;
          context.addIssue({ code: 'custom', path: [...path, list], message });
        }
      }
    }
  });

export type NotifyConfig = z.output<typeof notifyConfig>;

/** Routes to receivers that aren't configured, with the path of each below the section. */
export function receiverProblems(
  { route }: NotifyConfig,
  receivers: readonly string[],
): { readonly path: readonly (string | number)[]; readonly message: string }[] {
  const named = [
    ...(route.receiver === '' ? [] : [{ name: route.receiver, path: ['route', 'receiver'] }]),
    ...everyRoute(route.routes, ['route']).flatMap(({ route: { receiver }, path }) =>
      receiver === undefined ? [] : [{ name: receiver, path: [...path, 'receiver'] }],
    ),
  ];
  const known = receivers.length === 0 ? 'none is configured' : `there are ${receivers.join(', ')}`;
  return named
    .filter(({ name }) => !receivers.includes(name))
    .map(({ name, path }) => ({ path, message: `there is no receiver ${name}; ${known}` }));
}
