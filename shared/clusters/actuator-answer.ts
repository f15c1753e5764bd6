import type { OneAnswer } from './ask-once.ts';
import type { ActuatorAnswer } from './cluster-actuator.ts';
import { isObject, objectAt, text } from './lenient-json.ts';
import { plainWords } from './plain-words.ts';

const MAX_WORDS = 300;

export function refused(detail: string): ActuatorAnswer {
  return { outcome: 'refused', detail };
}

export function unsupported(detail: string): ActuatorAnswer {
  return { outcome: 'unsupported', detail };
}

/** The body as JSON; undefined for anything else, a part of it included. */
export function jsonIn(answer: OneAnswer): unknown {
  if (answer.outcome !== 'answered' || answer.cut !== '') return undefined;
  try {
    return JSON.parse(answer.body);
  } catch {
    // A page, or nothing: what it is not is what the caller wants to know.
    return undefined;
  }
}

/** What the manager said, without pages: YARN's `RemoteException`, a `message`, or plain text. */
function wordsOf(answer: Extract<OneAnswer, { outcome: 'answered' }>): string {
  const json = jsonIn(answer);
  if (isObject(json)) {
    return text(objectAt(json, 'RemoteException'), 'message') || text(json, 'message');
  }
  return /^\s*</.test(answer.body) ? '' : answer.body;
}

/** Status and words of the answer, as a person reads them. */
export function detailOf(answer: OneAnswer): string {
  if (answer.outcome === 'not-asked') return `no connection, nothing was asked: ${answer.why}`;
  if (answer.outcome === 'lost') return `the answer was lost: ${answer.why}`;
  const words = plainWords(wordsOf(answer), MAX_WORDS);
  return words === '' ? `${answer.status}` : `${answer.status}: ${words}`;
}

/**
 * What follows from an answer to an order. 4xx is a refusal; after 5xx it may have been carried
 * out. What a redirect means, the manager's own adapter says.
 */
export function answerTo(answer: OneAnswer, redirect: ActuatorAnswer['outcome']): ActuatorAnswer {
  const detail = detailOf(answer);
  if (answer.outcome === 'not-asked') return { outcome: 'refused', detail };
  if (answer.outcome === 'lost') return { outcome: 'unknown', detail };
  const { status } = answer;
  if (status >= 200 && status < 300) return { outcome: 'accepted', detail };
  if (status >= 300 && status < 400) return { outcome: redirect, detail };
  if (status >= 400 && status < 500) return { outcome: 'refused', detail };
  return { outcome: 'unknown', detail };
}
