/**
 * Which lines of a source without headers belong together: `traceback` and `frames` inside a Python
 * traceback, `error` behind one, where a blank line (`gap`) may lead to another of the same failure,
 * `key` inside a PEM block.
 */
export type PlainState = 'line' | 'traceback' | 'frames' | 'error' | 'gap' | 'key';

const TRACEBACK = 'Traceback (most recent call last):';
const CONTINUATIONS = [
  'Caused by: ',
  'Suppressed: ',
  '... ',
  'During handling of the above exception',
  'The above exception was the direct cause',
  '+-',
  '|',
];

export function plainState(text: string, from: number, end: number): PlainState {
  if (text.startsWith(TRACEBACK, from)) return 'traceback';
  if (text.startsWith('-----BEGIN ', from) && end - from < 80) return 'key';
  return 'line';
}

/**
 * The state after a line that goes on with the record before it, such as a stack frame, a table's
 * row or the error below a Python traceback; undefined when a new record begins.
 */
export function continuesPlain(
  state: PlainState,
  text: string,
  line: { readonly from: number; readonly end: number },
): PlainState | undefined {
  const { from, end } = line;
  const code = text.charCodeAt(from);
  if (state === 'key') return text.startsWith('-----END ', from) ? 'line' : 'key';
  const blank = from === end || code === 13;
  const indented = code === 32 || code === 9;
  if (state === 'traceback') return indented ? 'frames' : 'traceback';
  if (state === 'frames') return blank || !indented ? 'error' : 'frames';
  if (blank) return state === 'line' ? 'line' : 'gap';
  if (state === 'gap' && text.startsWith(TRACEBACK, from)) return 'traceback';
  const more = indented || code === 125 || code === 93 || code === 41;
  return more || CONTINUATIONS.some((start) => text.startsWith(start, from)) ? state : undefined;
}
