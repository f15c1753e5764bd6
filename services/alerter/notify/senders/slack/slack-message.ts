import type { DescribedAlert, Link } from '../message/describe-alert.ts';
import type { DescribedNotification } from '../message/describe-notification.ts';
import { slackLink, slackText } from './slack-text.ts';

interface Mrkdwn {
  readonly type: 'mrkdwn';
  readonly text: string;
  /** Slack makes no links or mentions of its own out of it. */
  readonly verbatim: true;
}

interface Button {
  readonly type: 'button';
  readonly text: { readonly type: 'plain_text'; readonly text: string };
  readonly url: string;
}

export type SlackBlock =
  | { readonly type: 'section'; readonly text: Mrkdwn }
  | { readonly type: 'context'; readonly elements: readonly Mrkdwn[] }
  | { readonly type: 'actions'; readonly elements: readonly Button[] }
  | { readonly type: 'divider' };

/** `text` is what push notifications and screen readers get. */
export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
}

/** Slack refuses more than 50 blocks, 3,000 characters a section and some 13,200 in all. */
const BLOCKS_MAX = 50;
const SECTION_MAX = 2_900;
const BUDGET = 10_000;
const BUTTONS_MAX = 5;
/** Kept for what stands below the alerts. */
const FOOT_BLOCKS = 4;
const FOOT_CHARACTERS = 600;

const MARKS = {
  critical: ':red_circle:',
  warning: ':large_orange_circle:',
  info: ':large_blue_circle:',
};

function mrkdwn(text: string): Mrkdwn {
  return { type: 'mrkdwn', text, verbatim: true };
}

function markOf({ state, severity }: Pick<DescribedAlert, 'state' | 'severity'>): string {
  if (state === 'resolved') return ':large_green_circle:';
  return state === 'gone' ? ':white_circle:' : MARKS[severity];
}

/** Whole lines only: a cut through an entity or a link would show its source. */
function section(lines: readonly string[]): SlackBlock {
  let text = '';
  for (const line of lines) {
    if (text.length + line.length + 1 > SECTION_MAX) break;
    text += text === '' ? line : `\n${line}`;
  }
  return { type: 'section', text: mrkdwn(text) };
}

/** @param isBrief leaves out what a list of many alerts has no room for */
function alertBlock(alert: DescribedAlert, isBrief: boolean): SlackBlock {
  const { title, state, severity, project, rule, description } = alert;
  const names = isBrief ? ['State', 'About', 'Value', 'Since', 'Cost'] : undefined;
  const rows = alert.rows.filter(({ name }) => names?.includes(name) ?? true);
  const lines = [
    `${markOf(alert)} *${slackText(title)}*`,
    `${state} · ${severity} · ${slackText(project)} · ${slackText(rule)}`,
    ...alert.consequences.flatMap(({ what, prevention, extendUrl }) => [
      `:hourglass_flowing_sand: *Next: ${slackText(what)}*`,
      `To stop that: ${slackText(prevention)}${
        extendUrl === undefined ? '' : ` ${slackLink(extendUrl, 'Put it off')}`
      }`,
    ]),
    ...rows.map(({ name, text }) => `*${name}:* ${slackText(text)}`),
    ...alert.links.map(({ label, url }) => slackLink(url, label)),
    ...(isBrief || description === '' ? [] : [slackText(description)]),
  ];
  return section(lines);
}

function sizeOf(block: SlackBlock): number {
  return JSON.stringify(block).length;
}

function buttons(links: readonly Link[]): SlackBlock[] {
  const fit = links.filter(({ url }) => url.length <= 3_000).slice(0, BUTTONS_MAX);
  if (fit.length === 0) return [];
  const elements = fit.map(({ label, url }) => ({
    type: 'button' as const,
    text: { type: 'plain_text' as const, text: label },
    url,
  }));
  return [{ type: 'actions', elements }];
}

/** As many alerts as there is room for, and how many there wasn't. */
function foldAlerts(described: DescribedNotification, used: number) {
  const { firing, ended, more } = described;
  const all = [...firing, ...ended];
  const isBrief = all.length > 3;
  const blocks: SlackBlock[] = [];
  let left = BUDGET - FOOT_CHARACTERS - used;
  let folded = more.firing + more.ended;
  for (const alert of all) {
    const block = alertBlock(alert, isBrief);
    left -= sizeOf(block);
    if (left < 0 || blocks.length >= BLOCKS_MAX - FOOT_BLOCKS - 1) folded += 1;
    else blocks.push(block);
  }
  return { blocks, folded };
}

/** Within Slack's limits whatever the alerts hold; long lists are folded into `+N more`. */
export function slackMessage(described: DescribedNotification): SlackMessage {
  const { headline, reason, text, links } = described;
  const head: SlackBlock[] = [];
  const total = described.firing.length + described.ended.length;
  if (total !== 1) head.push(section([`*${slackText(headline)}*`]));
  if (text !== '') head.push(section([slackText(text)]));
  const used = head.reduce((sum, block) => sum + sizeOf(block), 0);
  const { blocks, folded } = foldAlerts(described, used);
  const foot = [
    ...(folded > 0 ? [`+${folded} more`] : []),
    ...(reason === '' ? [] : [slackText(reason)]),
  ].join(' · ');
  return {
    text: slackText(headline),
    blocks: [
      ...head,
      ...blocks,
      ...(foot === '' ? [] : [{ type: 'context' as const, elements: [mrkdwn(foot)] }]),
      ...buttons(links),
    ],
  };
}
