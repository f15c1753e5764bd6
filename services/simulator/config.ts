import { z } from 'zod';

export const simulatorConfig = z
  .object({
    seed: z.number().int().min(0).default(7).describe('The same seed plays the same platform.'),
    historyMinutes: z
      .number()
      .int()
      .min(0)
      .max(1_440)
      .default(120)
      .describe('Minutes of the past that are played fast before the present is reached.'),
  })
  .prefault({});

export type SimulatorConfig = z.infer<typeof simulatorConfig>;
