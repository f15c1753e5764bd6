export interface RawRecord {
  readonly text: string;
  /** Of its first line, from 1. */
  readonly line: number;
}

const OPENS = /(?:^\s*|Streaming query made progress: )\{\s*$/;

function continues(line: string): boolean {
  const first = line.charCodeAt(0);
  // Pretty printers indent; only the closing brace stands at the margin.
  return first === 32 || first === 9 || first === 125;
}

/**
 * One record a line, and pretty-printed ones over several: a line that is only `{`, or the driver
 * log's `… made progress: {`, opens one, which goes on while lines are indented, to a `}` at the
 * margin. A broken line spoils itself alone. Blank lines are no records.
 */
export function* splitRecords(text: string): Generator<RawRecord> {
  let open: { lines: string[]; line: number } | undefined;
  let number = 0;
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const until = newline < 0 ? text.length : newline;
    const line = text.slice(from, text.charCodeAt(until - 1) === 13 ? until - 1 : until);
    from = until + 1;
    number += 1;
    if (open !== undefined) {
      if (continues(line)) {
        open.lines.push(line);
        if (!line.startsWith('}')) continue;
        yield { text: open.lines.join('\n'), line: open.line };
        open = undefined;
        continue;
      }
      yield { text: open.lines.join('\n'), line: open.line };
      open = undefined;
    }
    if (OPENS.test(line)) open = { lines: [line], line: number };
    else if (line.trim() !== '') yield { text: line, line: number };
  }
  if (open !== undefined) yield { text: open.lines.join('\n'), line: open.line };
}
