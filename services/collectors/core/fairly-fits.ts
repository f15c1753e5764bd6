/**
 * Whether one of many may take more of what they share: it may hold as much as is still free. So
 * one alone gets half, two get a third each, and there is always room for who comes next. What
 * nobody else holds anything of is given in any size, so that the largest item passes alone.
 */
export function fairlyFits(
  share: { readonly own: number; readonly held: number; readonly limit: number },
  more: number,
): boolean {
  const { own, held, limit } = share;
  return held === 0 || (held + more <= limit && own + more <= limit - held);
}
