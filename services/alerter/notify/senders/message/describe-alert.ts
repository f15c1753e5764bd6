import type { Alert, Severity } from '../../../../../shared/contracts/alert.ts';
import type { Consequence, NotifiedAlert } from '../../../../../shared/contracts/notification.ts';
import type { Instant } from '../../../../../shared/values/instant.ts';
import { plainLine } from './plain-line.ts';
import { creditsText, durationText, momentText, valueText } from './value-text.ts';

export interface Row {
  readonly name: string;
  readonly text: string;
}

export interface Link {
  readonly label: string;
  readonly url: string;
}

/** What will be done to the alert's subject, in words. */
export interface DescribedConsequence {
  /** Such as `stops the application at 2026-11-21 09:40 UTC`. */
  readonly what: string;
  readonly prevention: string;
  /** A secret that is meant for who reads the message. */
  readonly extendUrl: string | undefined;
}

/** One alert in words: plain lines that every medium escapes in its own way. */
export interface DescribedAlert {
  readonly occurrence: string;
  readonly state: 'firing' | 'resolved' | 'gone';
  readonly severity: Severity;
  readonly project: string;
  readonly rule: string;
  readonly title: string;
  readonly description: string;
  /** Most important first: value, since, cost … */
  readonly rows: readonly Row[];
  readonly consequences: readonly DescribedConsequence[];
  readonly links: readonly Link[];
}

const TITLE_MAX = 200;
const TEXT_MAX = 600;
const ROW_MAX = 300;
const LABELS_MAX = 12;
const LABEL_MAX = 120;
const CONSEQUENCES_MAX = 5;

/** A link that may be clicked: http or https, whatever a tenant has written. */
export function safeLink(text: string | undefined): string | undefined {
  const url = text === undefined || text.length > 2_000 ? null : URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined;
  return url.href;
}

/** Annotations and labels are read by own names only: `constructor` is a label like any other. */
function own(record: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(record, name) ? (record[name] ?? '') : '';
}

function targetText({ target }: Alert): string {
  const { kind, id, cluster } = target;
  const place = cluster === '' || cluster === id ? '' : ` on ${cluster}`;
  // A YARN or standalone id says itself what it is.
  const what = id.startsWith(kind) ? '' : `${kind.replace('-', ' ')} `;
  return id === '' ? cluster : `${what}${id}${place}`;
}

function spanText({ activeSince, endedAt }: Alert, at: Instant): string {
  const since = momentText(activeSince);
  if (endedAt === undefined) return `${since}, ${durationText(at - activeSince)} ago`;
  return `${since} to ${momentText(endedAt)} (${durationText(endedAt - activeSince)})`;
}

function costText({ cost, state }: Alert): string {
  if (cost === undefined) return '';
  const soFar = `${creditsText(cost.soFar)} credits so far`;
  return state === 'firing' ? `${creditsText(cost.perHour)} credits an hour, ${soFar}` : soFar;
}

function labelsText({ labels }: Alert): string {
  const names = Object.keys(labels).sort();
  const shown = names
    .slice(0, LABELS_MAX)
    .map((name) => `${plainLine(name, 60)}=${plainLine(own(labels, name), LABEL_MAX)}`);
  const more = names.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? `, +${more} more` : ''}`;
}

function rowsOf(alert: Alert, at: Instant): Row[] {
  const value = valueText(alert.value, plainLine(alert.unit, 20));
  const limit = alert.limit === '' ? '' : `limit: ${plainLine(alert.limit, 100)}`;
  const why = alert.state === 'gone' ? 'it is not there any more, which is no recovery' : '';
  const runbook = own(alert.annotations, 'runbook');
  const rows: Row[] = [
    { name: 'State', text: why },
    { name: 'About', text: targetText(alert) },
    { name: 'Value', text: value !== '' && limit !== '' ? `${value} (${limit})` : value || limit },
    { name: 'Since', text: spanText(alert, at) },
    { name: 'Cost', text: costText(alert) },
    { name: 'Not known', text: alert.verdictWhy },
    { name: 'Advice', text: own(alert.annotations, 'advice') },
    { name: 'Runbook', text: safeLink(runbook) === undefined ? runbook : '' },
  ].map(({ name, text }) => ({ name, text: plainLine(text, ROW_MAX) }));
  // Each label is plain already, and those that run from right to left are isolated one by one.
  rows.push({ name: 'Labels', text: labelsText(alert) });
  return rows.filter(({ text }) => text !== '');
}

function describeConsequence({ does, at, prevention, extendUrl }: Consequence) {
  return {
    what: `${plainLine(does, ROW_MAX)} at ${momentText(at)}`,
    prevention: plainLine(prevention, ROW_MAX),
    extendUrl: safeLink(extendUrl),
  };
}

/** @param at when the notification was made: what is sent twice says the same twice */
export function describeAlert({ alert, consequences }: NotifiedAlert, at: Instant): DescribedAlert {
  const summary = plainLine(own(alert.annotations, 'summary'), TITLE_MAX);
  const runbook = safeLink(own(alert.annotations, 'runbook'));
  return {
    occurrence: `${alert.id}#${alert.episode}`,
    state: alert.state === 'resolved' || alert.state === 'gone' ? alert.state : 'firing',
    severity: alert.severity,
    project: alert.project ?? 'platform',
    rule: plainLine(alert.rule, TITLE_MAX),
    title: summary === '' ? plainLine(alert.rule, TITLE_MAX) : summary,
    description: plainLine(own(alert.annotations, 'description'), TEXT_MAX),
    rows: rowsOf(alert, at),
    consequences: consequences.slice(0, CONSEQUENCES_MAX).map(describeConsequence),
    links: runbook === undefined ? [] : [{ label: 'Runbook', url: runbook }],
  };
}
