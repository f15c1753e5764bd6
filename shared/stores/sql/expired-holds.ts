/** What open reservations still hold by their rows though their lease is over. */
export interface ExpiredHolds {
  readonly pending: bigint;
  readonly millicores: number;
}

/** Reads rows that SQL has joined as `pending millicores,…`; null for none. */
export function parseExpired(text: string | null): ExpiredHolds {
  let [pending, millicores] = [0n, 0];
  for (const one of text === null || text === '' ? [] : text.split(',')) {
    const [credits = '0', cores = '0'] = one.split(' ');
    pending += BigInt(credits);
    millicores += Number(cores);
  }
  return { pending, millicores };
}
