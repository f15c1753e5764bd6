import { compileMatchers, type Labels } from '../../../shared/silences/label-matcher.ts';
import type { NotifyConfig } from './config.ts';

/** An alert and its labels as routes see them. */
export interface Labelled {
  readonly id: string;
  readonly labels: Labels;
}

interface Rule {
  readonly isSource: (labels: Labels) => boolean;
  readonly isTarget: (labels: Labels) => boolean;
  readonly equal: readonly string[];
}

/** Ids told of one muted alert; one says why as well as a thousand. */
const NAMED_MAX = 5;

/** Alerts that mute others while they fire. Source: prometheus/alertmanager inhibit/inhibit.go. */
export class Inhibitions {
  readonly #rules: readonly Rule[];

  constructor({ inhibit_rules: rules }: Pick<NotifyConfig, 'inhibit_rules'>) {
    this.#rules = rules.map((rule) => ({
      isSource: compileMatchers(rule.source_matchers),
      isTarget: compileMatchers(rule.target_matchers),
      equal: rule.equal,
    }));
  }

  /** Whether some rule might mute it, if only its source fired. */
  mayMute(labels: Labels): boolean {
    return this.#rules.some(({ isTarget }) => isTarget(labels));
  }

  /** By which of the firing alerts each of them is muted; those that aren't have no entry. */
  among(firing: readonly Labelled[]): ReadonlyMap<string, readonly string[]> {
    const muted = new Map<string, Set<string>>();
    for (const rule of this.#rules) {
      const sources = sourcesOf(rule, firing);
      if (sources.size === 0) continue;
      for (const { id, labels } of firing) {
        if (!rule.isTarget(labels)) continue;
        // Alerts on both sides don't mute each other: none of them would be told.
        const { oneSided, all } = sources.get(keyOf(rule, labels)) ?? { oneSided: [], all: [] };
        const by = muted.get(id) ?? new Set();
        for (const source of rule.isSource(labels) ? oneSided : all) {
          if (source !== id && by.size < NAMED_MAX) by.add(source);
        }
        if (by.size > 0) muted.set(id, by);
      }
    }
    return new Map([...muted].map(([id, by]) => [id, [...by].sort()]));
  }
}

function keyOf({ equal }: Rule, labels: Labels): string {
  return JSON.stringify(equal.map((name) => (Object.hasOwn(labels, name) ? labels[name] : '')));
}

type Sources = Map<string, { readonly oneSided: string[]; readonly all: string[] }>;

/** By the values of the labels that must be equal. As many as are named, and one for the alert itself. */
function sourcesOf(rule: Rule, firing: readonly Labelled[]): Sources {
  const sources: Sources = new Map();
  for (const { id, labels } of firing) {
    if (!rule.isSource(labels)) continue;
    const key = keyOf(rule, labels);
    const entry = sources.get(key) ?? { oneSided: [], all: [] };
    sources.set(key, entry);
    if (entry.all.length <= NAMED_MAX) entry.all.push(id);
    if (entry.oneSided.length <= NAMED_MAX && !rule.isTarget(labels)) entry.oneSided.push(id);
  }
  return sources;
}
