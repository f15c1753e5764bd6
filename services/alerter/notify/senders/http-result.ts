import { plainLine } from './message/plain-line.ts';
import type { HttpAnswer } from './outbound-http.ts';
import type { SendResult } from './sender.ts';

/** What the other side says of the body, and would say again. */
const BODY_AT_FAULT = new Set([400, 413, 415, 422]);

const WORDS_MAX = 200;

/** What an HTTP answer means for the message. A redirect isn't followed: it could lead anywhere. */
export function httpResult(answer: HttpAnswer): SendResult {
  if (answer.outcome === 'failed') {
    return { outcome: 'later', why: answer.why, retryAfterMs: undefined };
  }
  const { status, text, retryAfterMs } = answer;
  if (status >= 200 && status < 300) return { outcome: 'delivered' };
  const words = plainLine(text, WORDS_MAX);
  const why = `answers ${status}${words === '' ? '' : `: ${words}`}`;
  if (BODY_AT_FAULT.has(status)) return { outcome: 'refused', why };
  const hint = status >= 300 && status < 400 ? '; redirects are not followed' : '';
  return { outcome: 'later', why: `${why}${hint}`, retryAfterMs };
}
