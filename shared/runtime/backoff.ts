/** Full-jitter exponential backoff: a random wait up to `base · 2^attempt`, at most `cap`. */
export function backoffMs(
  attempt: number,
  options: { readonly baseMs: number; readonly capMs: number; readonly random: () => number },
): number {
  const ceiling = Math.min(options.capMs, options.baseMs * 2 ** Math.min(attempt, 30));
  return Math.ceil(options.random() * ceiling);
}
