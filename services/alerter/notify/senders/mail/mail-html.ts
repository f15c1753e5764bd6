import type { DescribedAlert, DescribedConsequence, Link } from '../message/describe-alert.ts';
import type { DescribedNotification } from '../message/describe-notification.ts';
import { html, type Markup } from './html.ts';

/** Mail readers know few styles and no style sheets: tables and inline styles it is. */
const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const COLOURS = { critical: '#b3261e', warning: '#b25e00', info: '#1f5fa8' };
const ENDED_COLOURS = { resolved: '#1e7b45', gone: '#5f6673' };

function colourOf({ state, severity }: Pick<DescribedAlert, 'state' | 'severity'>): string {
  return state === 'firing' ? COLOURS[severity] : ENDED_COLOURS[state];
}

function button({ label, url }: Link, colour: string): Markup {
  return html`<a href="${url}" style="display:inline-block;margin:0 8px 0 0;padding:8px 14px;border-radius:6px;border:1px solid ${colour};color:${colour};text-decoration:none;font-size:14px;font-weight:600">${label}</a>`;
}

function consequenceBox({ what, prevention, extendUrl }: DescribedConsequence): Markup {
  const link =
    extendUrl === undefined ? [] : [button({ label: 'Put it off', url: extendUrl }, '#7a4b00')];
  return html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin:12px 0 0"><tr><td style="padding:12px 14px;background:#fff4e0;border:1px solid #f0cf94;border-radius:6px;font-size:14px;line-height:20px;color:#4d3000"><div style="font-weight:600">Next: ${what}</div><div style="margin:2px 0 ${link.length > 0 ? '10px' : '0'}">To stop that: ${prevention}</div>${link}</td></tr></table>`;
}

function row(name: string, text: string): Markup {
  return html`<tr><td valign="top" style="padding:4px 14px 4px 0;color:#5f6673;font-size:13px;line-height:19px;white-space:nowrap">${name}</td><td valign="top" style="padding:4px 0;color:#1c2430;font-size:14px;line-height:19px;word-break:break-word">${text}</td></tr>`;
}

function badge(text: string, colour: string): Markup {
  return html`<span style="display:inline-block;padding:1px 9px;border-radius:10px;background:${colour};color:#ffffff;font-size:12px;line-height:19px;font-weight:600">${text}</span>`;
}

function alertCard(alert: DescribedAlert): Markup {
  const { title, state, severity, project, rule, description, rows, consequences, links } = alert;
  const colour = colourOf(alert);
  const about =
    description === ''
      ? []
      : [
          html`<p style="margin:10px 0 0;font-size:14px;line-height:20px;color:#3a4352">${description}</p>`,
        ];
  const linked =
    links.length === 0
      ? []
      : [html`<div style="margin:14px 0 0">${links.map((link) => button(link, '#3a4352'))}</div>`];
  return html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin:0 0 14px;border:1px solid #dfe3ea;border-left:4px solid ${colour};border-radius:6px"><tr><td style="padding:16px 18px">
<div style="font-size:16px;line-height:22px;font-weight:600;color:#1c2430;word-break:break-word">${title}</div>
<div style="margin:6px 0 0;font-size:13px;line-height:19px;color:#5f6673">${badge(state, colour)} &nbsp;${severity} &middot; ${project} &middot; ${rule}</div>
${consequences.map(consequenceBox)}
<table role="presentation" cellpadding="0" cellspacing="0" style="margin:10px 0 0">${rows.map(({ name, text }) => row(name, text))}</table>
${about}${linked}
</td></tr></table>`;
}

function list(title: string, alerts: readonly DescribedAlert[], more: number): readonly Markup[] {
  if (alerts.length === 0 && more === 0) return [];
  const rest =
    more === 0
      ? []
      : [html`<p style="margin:0 0 14px;font-size:14px;color:#5f6673">+${more} more</p>`];
  return [
    html`<h2 style="margin:22px 0 10px;font-size:13px;line-height:18px;letter-spacing:.04em;text-transform:uppercase;color:#5f6673">${title} (${alerts.length + more})</h2>`,
    ...alerts.map(alertCard),
    ...rest,
  ];
}

function notificationBlock(described: DescribedNotification): Markup {
  const { headline, status, severity, reason, text, firing, ended, more } = described;
  const colour = status === 'firing' ? COLOURS[severity] : ENDED_COLOURS.resolved;
  const why =
    reason === ''
      ? []
      : [
          html`<div style="margin:4px 0 0;font-size:13px;line-height:18px;color:#ffffff;opacity:.85">${reason}</div>`,
        ];
  const said =
    text === ''
      ? []
      : [
          html`<p style="margin:18px 0 0;font-size:15px;line-height:22px;color:#1c2430">${text}</p>`,
        ];
  return html`<tr><td style="padding:16px 24px;background:${colour};color:#ffffff"><div style="font-size:17px;line-height:24px;font-weight:600;word-break:break-word">${headline}</div>${why}</td></tr>
<tr><td style="padding:0 24px 12px">${said}${list('Firing', firing, more.firing)}${list('Ended', ended, more.ended)}</td></tr>`;
}

/** The HTML part of a mail about one notification, or of a digest of several. No image, no script. */
export function mailHtml(title: string, described: readonly DescribedNotification[]): string {
  const links = described[0]?.links ?? [];
  const linked =
    links.length === 0
      ? []
      : [html`<div style="margin:0 0 12px">${links.map((link) => button(link, '#3a4352'))}</div>`];
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title></head>
<body style="margin:0;padding:0;background:#f2f4f7;${FONT}">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f2f4f7"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" width="640" cellpadding="0" cellspacing="0" style="width:100%;max-width:640px;background:#ffffff;border-radius:10px;overflow:hidden;border:1px solid #dfe3ea;${FONT}">
${described.map(notificationBlock)}
<tr><td style="padding:16px 24px 20px;border-top:1px solid #dfe3ea;font-size:12px;line-height:18px;color:#5f6673">${linked}Sent by Tollgate, because a route of its alerts names this address.</td></tr>
</table></td></tr></table></body></html>
`.text;
}
