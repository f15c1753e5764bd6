/**
 * Whether the lines of a source without headers belong together: `traceback` while inside a Python
 * traceback, `key` inside a PEM block.
 */
export type PlainState = 'line' | 'traceback' | 'frames' | 'key';

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
  if (from === end || code === 13) return state === 'frames' ? 'line' : state;
  const indented = code === 32 || code === 9;
  if (state === 'traceback') return indented ? 'frames' : 'traceback';
  if (state === 'frames') {
    if (text.startsWith(TRACEBACK, from)) return 'traceback';
    return indented ? 'frames' : 'line';
  }
  if (indented || code === 125 || code === 93 || code === 41) return 'line';
  if (CONTINUATIONS.some((start) => text.startsWith(start, from))) return 'line';
  // A second traceback of the same failure follows a blank line and a sentence.
  const before = text.charCodeAt(from - 1) === 10 && text.charCodeAt(from - 2) === 10;
  return before && text.startsWith(TRACEBACK, from) ? 'traceback' : undefined;
}
