import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { StoreNames } from './distributed-stores.ts';
import { countOf, type Stored } from './stored-counts.ts';

/**
 * How long it takes from the call until each store holds more than now, as text. Every store is
 * asked past what disturbs the roles.
 */
export async function recoveryOf(stores: StoreNames, withinMs: number): Promise<string> {
  const began = performance.now();
  const kinds = Object.keys(countOf) as (keyof Stored)[];
  const all = await Promise.all(
    kinds.map(async (kind) => {
      const first = await countOf[kind](stores);
      for (;;) {
        const ms = Math.round(performance.now() - began);
        if ((await countOf[kind](stores)) > first) return `${kind} ${ms} ms`;
        assert.ok(ms < withinMs, `${kind}: nothing new in ${ms} ms`);
        await wait(100);
      }
    }),
  );
  return all.join(', ');
}
