import type { Alert } from '../../../shared/contracts/alert.ts';
import type { AlertTransition, RuleHealth } from '../../../shared/stores/alert-store.ts';
import { formatInstant, type Instant } from '../../../shared/values/instant.ts';
import { plainText, renderTemplate } from './annotation-template.ts';
import type { Found, Subject } from './find-subjects.ts';
import { type AlertLife, clampedTo, isOpen, lifeAfter, lifeWhenMissing } from './next-alert.ts';
import { type Rule, sameCondition } from './rule.ts';
import { thresholdText } from './threshold.ts';

/** One evaluation of a rule. */
export interface RuleInput {
  readonly rule: Rule;
  /** The rule's alerts by id: all open ones, and of ended ones those that the reading brings back. */
  readonly known: ReadonlyMap<string, Alert>;
  readonly found: Found;
  readonly now: Instant;
  /** When the rule was evaluated before; undefined: never. */
  readonly lastAt: Instant | undefined;
}

export interface RuleOutcome {
  /** Those that changed or were looked at. */
  readonly alerts: readonly Alert[];
  readonly transitions: readonly AlertTransition[];
  readonly outcome: RuleHealth['outcome'];
  readonly why: string;
}

type Answer = Extract<Found, { outcome: 'answered' }>;

/** Annotations that only a rule gives. */
const RESERVED: readonly string[] = ['summary', 'description', 'advice', 'owner', 'runbook'];

const NOT_LISTED = 'it is missing from the answer';
const PART_LISTED = 'it is missing from an answer that is not whole';

function annotationsOf(rule: Rule, { sample, labels }: Subject): Record<string, string> {
  const unit = sample.evidence[0]?.unit ?? '';
  const facts = { ...sample, labels, unit, limit: thresholdText(rule.when, unit) };
  const added = Object.entries(sample.annotations).flatMap(([name, text]) =>
    RESERVED.includes(name) ? [] : [[name, plainText(text, { lines: true })] as const],
  );
  const written = [...rule.annotations].map(
    ([name, template]) => [name, renderTemplate(template, facts)] as const,
  );
  const runbook = rule.runbook === '' ? [] : [['runbook', rule.runbook] as const];
  return Object.fromEntries([...added, ...written, ['owner', rule.owner] as const, ...runbook]);
}

/** What a rule says of all its alerts, whatever was read. */
function ofRule({ rule, now }: RuleInput) {
  const { name, version, severity } = rule;
  return { rule: name, ruleVersion: version, severity, evaluatedAt: now };
}

/** What is shown of a subject's last value stays when there is none now. */
function shownOf(rule: Rule, subject: Subject, previous: Alert | undefined) {
  const { sample, finding, labels } = subject;
  const { target, project, cost, evidence } = sample;
  if (previous !== undefined && isOpen(previous) && finding.verdict === 'no_data') {
    const { value, unit, limit, annotations } = previous;
    return {
      target,
      project,
      labels,
      cost,
      value,
      unit,
      limit,
      evidence: previous.evidence,
      annotations,
    };
  }
  const unit = evidence[0]?.unit ?? '';
  return {
    ...{ target, project, labels, cost, evidence, unit },
    value: sample.value,
    limit: thresholdText(rule.when, unit),
    annotations: annotationsOf(rule, subject),
  };
}

/** Breaches in a row on fresh and whole evidence, under one condition. */
function breachesOf(input: RuleInput, subject: Subject, whole: boolean): number {
  const { finding, sample, id } = subject;
  if (finding.verdict !== 'breach' || !whole) return 0;
  if (sample.evidence.length === 0 || sample.evidence.some(({ complete }) => !complete)) return 0;
  const previous = input.known.get(id);
  const goesOn =
    previous !== undefined &&
    isOpen(previous) &&
    sameCondition(previous.ruleVersion, input.rule.version);
  return (goesOn ? previous.breaches : 0) + 1;
}

function seen(input: RuleInput, subject: Subject, whole: boolean): Alert | undefined {
  const { id, finding } = subject;
  const previous = input.known.get(id);
  const life = lifeAfter(previous, finding, input);
  if (life === undefined) return undefined;
  return {
    ...lifeOf(life),
    ...shownOf(input.rule, subject, previous),
    ...ofRule(input),
    id,
    verdict: finding.verdict,
    verdictWhy: finding.why,
    breaches: breachesOf(input, subject, whole),
  };
}

function lifeOf(life: AlertLife): AlertLife {
  const { state, episode, activeSince, firedAt, endedAt, clearingSince, missingSince } = life;
  return { state, episode, activeSince, firedAt, endedAt, clearingSince, missingSince };
}

function unseen(input: RuleInput, previous: Alert, whole: boolean): Alert {
  const life = whole ? lifeWhenMissing(previous, input.now) : previous;
  const verdictWhy = whole ? NOT_LISTED : PART_LISTED;
  return told(input, { ...previous, ...lifeOf(life) }, { verdict: 'no_data', verdictWhy });
}

/** An alert about which this evaluation knows nothing new. */
function told(
  { rule, now }: RuleInput,
  previous: Alert,
  said: Pick<Alert, 'verdict' | 'verdictWhy'>,
): Alert {
  // Its version stays that of the evaluation that last knew something.
  return { ...previous, severity: rule.severity, ...said, breaches: 0, evaluatedAt: now };
}

function transitionOf(before: Alert | undefined, after: Alert): AlertTransition[] {
  const from = before?.state ?? 'inactive';
  if (from === after.state && before?.episode === after.episode) return [];
  const { id, episode, state, evaluatedAt, verdictWhy, value, limit, unit } = after;
  const at = value === undefined ? '' : `${value}${unit === '' ? '' : ` ${unit}`}`;
  const why = {
    inactive: verdictWhy || `no longer in breach: ${at}`,
    pending: verdictWhy || `${at} is ${limit}`,
    firing: verdictWhy || `${at} is ${limit}`,
    resolved: `${at} is no longer ${limit}`,
    gone: verdictWhy,
  }[state];
  return [{ alert: id, episode, at: evaluatedAt, from, to: state, why }];
}

/** State stays; verdicts say why. */
function nothingKnown(input: RuleInput, outcome: 'error' | 'stale', why: string): RuleOutcome {
  const said = { verdict: outcome, verdictWhy: why };
  const open = [...input.known.values()].filter(isOpen);
  return { alerts: open.map((alert) => told(input, alert, said)), transitions: [], outcome, why };
}

function staleWhy({ rule, now }: RuleInput, { watermark }: Answer): string | undefined {
  if (watermark === undefined || now - watermark <= rule.staleAfterMs) return undefined;
  const [end, age] = [formatInstant(watermark), Math.round((now - watermark) / 1_000)];
  return `the data end at ${end}, ${age} s ago; the rule takes ${rule.staleAfterMs / 1_000} s`;
}

/**
 * What a rule makes of a reading: alerts, how they got there, and how the rule fares. A failed or
 * stale reading, and a clock that went back, change no state; a subject that is missing from two
 * whole readings in a row is gone.
 */
export function evaluateRule(input: RuleInput): RuleOutcome {
  const { found, known, now, lastAt } = input;
  if (lastAt !== undefined && now < lastAt) {
    const clamped = new Map([...known].map(([id, alert]) => [id, clampedTo(alert, now)]));
    const why = `the clock went back by ${lastAt - now} ms, so that nothing is decided now`;
    return nothingKnown({ ...input, known: clamped }, 'error', why);
  }
  if (found.outcome === 'failed') return nothingKnown(input, 'error', found.why);
  const stale = staleWhy(input, found);
  if (stale !== undefined) return nothingKnown(input, 'stale', stale);
  const { subjects, complete } = found;
  const alerts = [...subjects.values()].flatMap((subject) => seen(input, subject, complete) ?? []);
  for (const alert of known.values()) {
    if (!subjects.has(alert.id) && isOpen(alert)) alerts.push(unseen(input, alert, complete));
  }
  const transitions = alerts.flatMap((alert) => transitionOf(known.get(alert.id), alert));
  return { alerts, transitions, outcome: 'ok', why: '' };
}

/** An open alert whose rule is no longer there. */
export function withoutRule(
  alert: Alert,
  now: Instant,
): { readonly alert: Alert; readonly transitions: readonly AlertTransition[] } {
  const life = lifeWhenMissing({ ...alert, missingSince: now }, now);
  const verdictWhy = 'its rule is no longer there';
  const said = { verdict: 'no_data' as const, verdictWhy, breaches: 0, evaluatedAt: now };
  const after = { ...alert, ...lifeOf(life), ...said };
  return { alert: after, transitions: transitionOf(alert, after) };
}
