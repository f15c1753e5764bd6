import { simulateEnforcement } from './world/simulate-enforcement.ts';
import { simulateSeed } from './world/simulate-seed.ts';

/** Worlds that are played by seed; what each counts is summed. */
export const WORLDS = {
  metering: { run: async (seed: number) => ({ ...(await simulateSeed(seed)) }), seeds: 10_000 },
  enforcement: {
    run: async (seed: number) => ({ actions: await simulateEnforcement(seed) }),
    seeds: 5_000,
  },
} as const satisfies Readonly<
  Record<
    string,
    {
      readonly run: (seed: number) => Promise<Readonly<Record<string, number>>>;
      readonly seeds: number;
    }
  >
>;

export type WorldName = keyof typeof WORLDS;
