import type { Instant } from '../../../shared/values/instant.ts';
import type { NotifyConfig } from './config.ts';
import { Inhibitions } from './inhibitions.ts';
import { compileRoutes, type Route, type RouteNode } from './routes.ts';
import { compileIntervals } from './time-interval.ts';

/** The configuration as plans are made from it. */
export interface Policy {
  readonly config: NotifyConfig;
  readonly routes: RouteNode;
  /** Names of the receivers there are: nobody else can be told. */
  readonly receivers: ReadonlySet<string>;
  readonly inhibitions: Inhibitions;
  /** Names of the time intervals that mute a route now; none when it may speak. */
  mutedBy(route: Route, now: Instant): readonly string[];
}

/** @param receivers names of those that are configured; see receiverProblems */
export function compilePolicy(config: NotifyConfig, receivers: readonly string[]): Policy {
  const intervals = new Map(
    config.time_intervals.map(({ name, time_intervals }) => [
      name,
      compileIntervals(time_intervals),
    ]),
  );
  const isNow = (name: string, now: Instant): boolean => intervals.get(name)?.(now) ?? false;
  return {
    config,
    routes: compileRoutes(config),
    receivers: new Set(receivers),
    inhibitions: new Inhibitions(config),
    mutedBy: ({ muteIntervals, activeIntervals }, now) => {
      const muting = muteIntervals.filter((name) => isNow(name, now));
      const isOutside =
        activeIntervals.length > 0 && !activeIntervals.some((name) => isNow(name, now));
      return isOutside ? [...muting, ...activeIntervals] : muting;
    },
  };
}
