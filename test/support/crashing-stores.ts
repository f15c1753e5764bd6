import type { MeteringStores } from '../../services/metering/start.ts';

export class SimulatedCrash extends Error {
  override readonly name = 'SimulatedCrash';
}

/**
 * The same stores until the n-th call from now over all of them: that call fails before it does
 * anything, or after it has done all and can't say so.
 */
export function crashingStores(
  stores: MeteringStores,
  crash: { readonly call: number; readonly after: boolean },
): MeteringStores {
  let calls = 0;
  const crashing = <T extends object>(store: T): T =>
    new Proxy(store, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name, target);
        if (typeof method !== 'function') return method;
        return async (...args: unknown[]) => {
          calls += 1;
          const isLast = calls > crash.call;
          if (isLast && !crash.after) throw new SimulatedCrash(`before ${String(name)}`);
          const result: unknown = await method.apply(target, args);
          if (isLast) throw new SimulatedCrash(`after ${String(name)}`);
          return result;
        };
      },
    });
  return {
    journal: crashing(stores.journal),
    ledger: crashing(stores.ledger),
    prices: crashing(stores.prices),
    priceFreezes: crashing(stores.priceFreezes),
    promises: crashing(stores.promises),
    grants: crashing(stores.grants),
  };
}
