import type { Severity } from '../../../shared/contracts/alert.ts';
import { must } from '../../../shared/errors/assert.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import { type AnnotationTemplate, parseTemplate } from './annotation-template.ts';
import type { RuleConfig } from './rule-config.ts';
import type { SignalConfig } from './signal-config.ts';
import type { Threshold } from './threshold.ts';

/** Where a rule stands. */
export interface RulePlace {
  readonly file: string;
  readonly line: number;
}

/** A rule that can be evaluated. */
export interface Rule {
  readonly name: string;
  /** `CONDITION-REST`: hashes of what decides about an alert, and of all else that was written. */
  readonly version: string;
  readonly place: RulePlace;
  readonly severity: Severity;
  readonly owner: string;
  readonly signal: SignalConfig;
  readonly when: Threshold;
  /** Undefined: whatever is no breach ends an alert. */
  readonly clear: Threshold | undefined;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly everyMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: ReadonlyMap<string, AnnotationTemplate>;
  /** '' where there is none. */
  readonly runbook: string;
  readonly noData: 'keep' | 'alert';
  readonly staleAfterMs: number;
  /** Most alerts. */
  readonly limit: number;
}

/** What a breach is. A change of anything else leaves the state of alerts alone. */
const CONDITION: readonly string[] = ['signal', 'when', 'clear', 'no_data'];

/** Short digests of texts; hashing belongs to the platform, which rules don't know. */
export type Digest = (text: string) => string;

function versionOf(written: Readonly<Record<string, unknown>>, digest: Digest): string {
  const part = (inCondition: boolean): string => {
    const entries = Object.entries(written);
    const chosen = entries.filter(([name]) => CONDITION.includes(name) === inCondition);
    return digest(canonicalJson(Object.fromEntries(chosen)));
  };
  return `${part(true)}-${part(false)}`;
}

/** Whether two versions of a rule call the same a breach. */
export function sameCondition(a: string, b: string): boolean {
  return a.split('-')[0] === b.split('-')[0];
}

/** @param written the entry as it was parsed from YAML, of which `config` is the reading */
export function toRule(
  config: RuleConfig,
  written: Readonly<Record<string, unknown>>,
  { place, digest }: { readonly place: RulePlace; readonly digest: Digest },
): Rule {
  const templates = Object.entries(config.annotations).map(([name, text = '']) => {
    const read = parseTemplate(text);
    return [name, must('template' in read ? read.template : undefined, 'was checked')] as const;
  });
  return {
    name: config.alert,
    version: versionOf(written, digest),
    place,
    severity: config.severity,
    owner: config.owner,
    signal: config.signal,
    when: config.when,
    clear: config.clear,
    forMs: config.for,
    keepFiringForMs: config.keep_firing_for,
    everyMs: config.every,
    labels: config.labels,
    annotations: new Map(templates),
    runbook: config.runbook ?? '',
    noData: config.no_data,
    staleAfterMs: config.stale_after,
    limit: config.limit,
  };
}
