import { z } from 'zod';
import { parseCredits } from '../../../shared/values/money.ts';
import { parseProjectId } from '../../../shared/values/project-id.ts';
import { meteringConfig } from '../config.ts';

const { shape } = meteringConfig;

const budget = z.object({
  project: z
    .string()
    .refine((text) => parseProjectId(text) !== undefined, 'is no project id')
    .transform((text) => text.trim().toLowerCase())
    .describe('Project that gets it.'),
  credits: z
    .string()
    .refine((text) => (parseCredits(text) ?? -1n) >= 0n, 'is no amount of credits from 0 up')
    .describe('Credits that it has from the start of the window on, instead of its grants.'),
  renew: z
    .enum(['never', 'month'])
    .default('never')
    .describe('Whether each UTC month begins with the same credits again; what is left goes.'),
});

/**
 * What is given in a tariff file and can be judged alone. Cards of pools and markets of clusters lean
 * on what is configured: what contradicts that is found where the two are laid together.
 */
function givenParts(tariff: object): object {
  const names = ['rateCard', 'earlierRateCards', 'pools', 'price'];
  return Object.fromEntries(Object.entries(tariff).filter(([name]) => names.includes(name)));
}

/**
 * A tariff to replay a window under. Each part may be left out; a price or a card that names some
 * of its options takes the others from the configuration.
 */
export const replayTariff = z
  .object({
    rateCard: shape.rateCard.unwrap().optional().describe('What a container pays instead.'),
    earlierRateCards: shape.earlierRateCards
      .unwrap()
      .optional()
      .describe('Cards that hold before that one’s validFrom.'),
    rateCards: shape.rateCards
      .unwrap()
      .optional()
      .describe('Cards of a pool, a market or both, instead of those that are configured.'),
    markets: shape.markets
      .unwrap()
      .optional()
      .describe('On which market the nodes of clusters are, instead.'),
    pools: shape.pools.unwrap().optional().describe('What is priced together instead.'),
    price: shape.price
      .unwrap()
      .optional()
      .describe('Rule by which the prices are computed again from the load.'),
    budgets: z.array(budget).optional().describe('Credits of projects instead of their grants.'),
  })
  .superRefine((tariff, context) => {
    if (Object.values(tariff).every((part) => part === undefined)) {
      const message = 'says nothing: give rateCard, rateCards, markets, pools, price or budgets';
      context.addIssue({ code: 'custom', path: [], message });
    }
    if (tariff.earlierRateCards !== undefined && tariff.rateCard === undefined) {
      const message = 'stands beside a rateCard';
      context.addIssue({ code: 'custom', path: ['earlierRateCards'], message });
    }
    const projects = (tariff.budgets ?? []).map(({ project }) => project);
    for (const [index, project] of projects.entries()) {
      if (projects.indexOf(project) === index) continue;
      const message = `project ${project} has a budget already`;
      context.addIssue({ code: 'custom', path: ['budgets', index, 'project'], message });
    }
    // What contradicts what is told by the configuration's own schema.
    const whole = meteringConfig.safeParse(givenParts(tariff));
    // Both schemas see what is wrong in one place; it is told once.
    const placeOf = (path: readonly PropertyKey[] = []): string => path.map(String).join('.');
    const known = new Set(context.issues.map(({ path }) => placeOf(path)));
    for (const { path, message } of whole.error?.issues ?? []) {
      if (known.has(placeOf(path))) continue;
      context.addIssue({ code: 'custom', path: [...path], message });
    }
  });

export type ReplayTariff = z.infer<typeof replayTariff>;
