import type { Alert } from '../../../shared/contracts/alert.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { Reading, Sample } from '../signals/signal.ts';
import { type Finding, findingOf } from './finding.ts';
import type { Digest, Rule } from './rule.ts';

/** One of a reading's subjects, with what the rule finds. */
export interface Subject {
  /** Of its alert, if it has one. */
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly sample: Sample;
  readonly finding: Finding;
}

/** A reading in the eyes of a rule. */
export type Found =
  | {
      readonly outcome: 'answered';
      /** By id. */
      readonly subjects: ReadonlyMap<string, Subject>;
      readonly watermark: Instant | undefined;
      readonly complete: boolean;
    }
  | { readonly outcome: 'failed'; readonly why: string };

/** A reading whose subjects can't be told apart, or that would raise too many alerts, is failed. */
export function findSubjects(rule: Rule, reading: Reading, digest: Digest): Found {
  if (reading.outcome === 'failed') return reading;
  const subjects = new Map<string, Subject>();
  let alerts = 0;
  for (const sample of reading.samples) {
    const labels = { ...sample.labels, ...rule.labels };
    const id = digest(canonicalJson([rule.name, labels]));
    if (subjects.has(id)) {
      const which = canonicalJson(labels).slice(0, 500);
      const why = `two subjects have the labels ${which}; give the rule's own labels other names`;
      return { outcome: 'failed', why };
    }
    const finding = findingOf(rule, sample);
    if (finding.towards === 'firing') alerts += 1;
    subjects.set(id, { id, labels, sample, finding });
  }
  if (alerts > rule.limit) {
    const why = `it would raise ${alerts} alerts, more than its limit of ${rule.limit}; narrow its signal, or raise "limit"`;
    return { outcome: 'failed', why };
  }
  const { watermark, complete } = reading;
  return { outcome: 'answered', subjects, watermark, complete };
}

/** Ids of the alerts that may begin: whoever evaluates must know their last episodes. */
export function begunBy(found: Found, known: ReadonlyMap<string, Alert>): string[] {
  if (found.outcome === 'failed') return [];
  return [...found.subjects.values()].flatMap(({ id, finding }) =>
    finding.towards === 'firing' && !known.has(id) ? [id] : [],
  );
}
