/** Characters of a first line that are shown before it is opened. */
const HEAD_CHARACTERS = 400;

/**
 * What of a message stands in the list, and what opens: stack traces and very long lines.
 * @param {string} message
 * @returns {{ head: string, rest: string, hiddenLines: number }}
 */
export function splitMessage(message) {
  const end = message.indexOf('\n');
  const first = end === -1 ? message : message.slice(0, end);
  const head = first.length > HEAD_CHARACTERS ? `${first.slice(0, HEAD_CHARACTERS)}…` : first;
  const hiddenLines = end === -1 ? 0 : message.slice(end + 1).split('\n').length;
  const rest = head === message ? '' : message;
  return { head, rest, hiddenLines };
}
