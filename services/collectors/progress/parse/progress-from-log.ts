const MARKER = 'Streaming query made progress: {';

/** Where the object that opens at `start` closes; -1 when it doesn't. Braces in strings don't count. */
function closingBrace(text: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let i = start; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 92) i += 1;
      else if (code === 34) quoted = false;
    } else if (code === 34) quoted = true;
    else if (code === 123) depth += 1;
    else if (code === 125) {
      depth -= 1;
      if (depth === 0) return i;
    }
  }
  return -1;
}

/**
 * The progress JSON inside a driver's log message, which is pretty-printed over many lines. Who has
 * only logs still has progress. Undefined for any other message, and for one that was cut.
 * Source: apache/spark sql/core …/streaming/ProgressReporter.scala.
 */
export function progressFromLog(message: string): string | undefined {
  const marker = message.indexOf(MARKER);
  if (marker < 0) return undefined;
  const start = marker + MARKER.length - 1;
  const end = closingBrace(message, start);
  return end < 0 ? undefined : message.slice(start, end + 1);
}
