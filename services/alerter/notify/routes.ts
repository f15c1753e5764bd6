import { createHash } from 'node:crypto';
import {
  compileMatchers,
  type Labels,
  printMatcher,
} from '../../../shared/silences/label-matcher.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import type { ChildRoute, NotifyConfig } from './config.ts';

/** A route with what it takes over from those above. */
export interface Route {
  /** Matchers from the root on: outlives a change of the tree elsewhere. */
  readonly id: string;
  /** '' for nobody. */
  readonly receiver: string;
  /** Undefined: by all labels. */
  readonly groupBy: readonly string[] | undefined;
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  readonly muteIntervals: readonly string[];
  readonly activeIntervals: readonly string[];
}

export interface RouteNode {
  readonly route: Route;
  readonly matches: (labels: Labels) => boolean;
  readonly goesOn: boolean;
  readonly below: readonly RouteNode[];
}

function childNode(child: ChildRoute, parent: Route): RouteNode {
  const own = [...child.matchers].map(printMatcher).sort().join(',');
  const groupBy = child.group_by?.includes('...') ? undefined : (child.group_by ?? parent.groupBy);
  const route: Route = {
    id: `${parent.id}/{${own}}`,
    receiver: child.receiver ?? parent.receiver,
    groupBy,
    groupWaitMs: child.group_wait ?? parent.groupWaitMs,
    groupIntervalMs: child.group_interval ?? parent.groupIntervalMs,
    repeatIntervalMs: child.repeat_interval ?? parent.repeatIntervalMs,
    // As in Alertmanager, time intervals aren't taken over.
    muteIntervals: child.mute_time_intervals,
    activeIntervals: child.active_time_intervals,
  };
  return {
    route,
    matches: compileMatchers(child.matchers),
    goesOn: child.continue,
    below: child.routes.map((one) => childNode(one, route)),
  };
}

/** The tree as it is walked. */
export function compileRoutes({ route: root }: Pick<NotifyConfig, 'route'>): RouteNode {
  const route: Route = {
    id: '{}',
    receiver: root.receiver,
    groupBy: root.group_by.includes('...') ? undefined : root.group_by,
    groupWaitMs: root.group_wait,
    groupIntervalMs: root.group_interval,
    repeatIntervalMs: root.repeat_interval,
    muteIntervals: [],
    activeIntervals: [],
  };
  const below = root.routes.map((child) => childNode(child, route));
  return { route, matches: () => true, goesOn: false, below };
}

/**
 * The routes an alert takes: in each branch the deepest that matches; the next siblings only where
 * one says `continue`. Source: prometheus/alertmanager dispatch/route.go Match.
 */
export function routesFor(node: RouteNode, labels: Labels): readonly Route[] {
  if (!node.matches(labels)) return [];
  const found: Route[] = [];
  for (const child of node.below) {
    const routes = routesFor(child, labels);
    found.push(...routes);
    if (routes.length > 0 && !child.goesOn) break;
  }
  return found.length === 0 ? [node.route] : found;
}

/** What the alerts of a group have in common: the labels of `group_by` that the alert has. */
export function groupLabelsFor({ groupBy }: Pick<Route, 'groupBy'>, labels: Labels): Labels {
  const names = groupBy ?? Object.keys(labels);
  const own = names.filter((name) => Object.hasOwn(labels, name) && labels[name] !== '');
  return Object.fromEntries(own.sort().map((name) => [name, labels[name] ?? '']));
}

/** Short whatever the labels hold; the same after a restart and in every process. */
export function groupKeyFor({ id, receiver }: Route, groupLabels: Labels): string {
  const text = canonicalJson([id, receiver, groupLabels]);
  return `group/${createHash('sha256').update(text).digest('hex').slice(0, 40)}`;
}
