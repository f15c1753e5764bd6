import type { Express, Response } from 'express';
import { formatInstant, HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ApiDeps } from '../api-deps.ts';
import { extendAction, readExtension } from '../extend-action.ts';

/** As announcements link to it; the token is the right to it. */
const PATH = '/enforcement/extend/:token';

type Deps = Pick<ApiDeps, 'enforcement' | 'clock'>;

function escapeHtml(text: string): string {
  const signs: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (sign) => signs[sign] ?? sign);
}

function spanText(ms: number): string {
  return ms % HOUR_MS === 0 ? `${ms / HOUR_MS} h` : `${Math.round(ms / MINUTE_MS)} min`;
}

function page(response: Response, title: string, body: string): void {
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response
    .type('html')
    .send(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>` +
        `<link rel="stylesheet" href="/page.css"></head><body><main><h1>${escapeHtml(title)}</h1>${body}</main></body></html>`,
    );
}

/**
 * The link of an announcement: GET shows what it would put off and changes nothing, since scanners of
 * mail follow links; POST does it, once. Both answer 404 once it was used or its action is over.
 */
export function mountExtend(app: Express, { enforcement, clock }: Deps): void {
  const { links, store, policies } = enforcement;
  if (links === undefined) return;
  const deps = { links, store, policies };
  app.get(PATH, async (request, response) => {
    const { action, byMs } = await readExtension(deps, String(request.params['token']));
    const { target, level, policy } = action;
    page(
      response,
      'Put it off?',
      `<p>Policy ${escapeHtml(policy)} will ${escapeHtml(level)} ${escapeHtml(target.kind)} ` +
        `<b>${escapeHtml(target.id)}</b>. This puts it off by ${spanText(byMs)}, once.</p>` +
        '<form method="post"><button>Put it off</button></form>',
    );
  });
  app.post(PATH, async (request, response) => {
    const at = clock.now();
    await extendAction(deps, String(request.params['token']), { by: 'link', at });
    page(response, 'It is put off', `<p>Since ${formatInstant(at)}. The link is used up.</p>`);
  });
}
