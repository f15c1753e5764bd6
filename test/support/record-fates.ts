import type { RunningTollgate } from './running-tollgate.ts';

/** How many records a running Tollgate has counted, as `fate` or `fate reason`, of one collector. */
export type Fates = Readonly<Record<string, number>>;

const COUNTER =
  /^tollgate_records_total\{collector="([^"]*)",fate="([^"]*)",reason="([^"]*)"\} (\d+)$/gm;

export async function recordFates(tollgate: RunningTollgate, collector: string): Promise<Fates> {
  const response = await fetch(`${tollgate.url}/metrics`);
  const fates = new Map<string, number>();
  for (const [, name, fate, reason, count] of (await response.text()).matchAll(COUNTER)) {
    if (name !== collector) continue;
    const key = `${fate} ${reason}`.trim();
    fates.set(key, (fates.get(key) ?? 0) + Number(count));
  }
  return Object.fromEntries(fates);
}

/** What was counted between two readings. */
export function fatesSince(before: Fates, after: Fates): Fates {
  const changed = Object.entries(after).map(
    ([key, count]) => [key, count - (before[key] ?? 0)] as const,
  );
  return Object.fromEntries(changed.filter(([, count]) => count !== 0));
}
