import { z } from 'zod';
import { restBalance } from './rest.ts';
import { PLAN_LIMITS } from './rest-plan.ts';

/** Shortest and longest lease of a reservation, in seconds. */
export const LEASE_SECONDS = { min: 10, max: 30 * 86_400 } as const;

const leaseSeconds = z
  .number()
  .int()
  .min(LEASE_SECONDS.min)
  .max(LEASE_SECONDS.max)
  .meta({ description: 'How long it holds without being renewed; renew at a third of it' });

/** Plain characters, since it is part of an address and of a tag. */
const id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/, 'must be letters, digits and . _ : -, at most 200')
  .meta({
    description: 'Made and kept by the client, so that sending it again holds nothing twice',
  });

/** A lone surrogate would come back as another text. */
const name = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((text) => text.isWellFormed() && !text.includes('\0'), 'is no well-formed text');

const resources = z
  .strictObject({
    cores: z.number().min(0).max(PLAN_LIMITS.cores).default(0),
    memoryMib: z.number().int().min(0).max(PLAN_LIMITS.memoryMib).default(0),
    gpus: z.number().int().min(0).max(PLAN_LIMITS.gpus).default(0),
    executors: z
      .number()
      .int()
      .min(0)
      .max(1_000_000)
      .default(0)
      .meta({ description: 'For people' }),
  })
  .meta({ description: 'What the job will hold, all its containers together' });

export const restReservationRequest = z.strictObject({
  id,
  application: name(500).meta({ description: 'Name of the workload' }),
  resources: resources.prefault({}),
  maxCost: z
    .string()
    .regex(
      /^\d{1,9}(\.\d{1,9})?$/,
      'must be credits below a thousand million, at most nine decimals',
    )
    .meta({ description: 'The most that it may cost, exact decimal', example: '12.5' }),
  leaseSeconds,
  multiplierCap: z
    .union([name(20), z.number().min(0).max(1_000)])
    .transform(String)
    .optional()
    .meta({ description: 'Highest price that the client takes; kept with it' }),
  quote: name(200).optional().meta({ description: 'Id of a quote' }),
});

export const restLeaseRequest = z.strictObject({
  leaseSeconds,
  application: z
    .strictObject({ cluster: name(200), id: name(500) })
    .optional()
    .meta({
      description:
        'The application that runs under it, where it can’t be tagged with spark.tollgate.tag.tollgate.reservation',
    }),
});

const instant = z.string().meta({ description: 'UTC instant' });
const credits = z.string().meta({ description: 'Credits, exact decimal', example: '12.5' });

export const restReservation = z.object({
  id: z.string(),
  project: z.string(),
  application: z.string(),
  state: z.enum(['held', 'posted', 'voided', 'expired']),
  held: credits.meta({ description: 'The most that it may cost' }),
  spent: credits.meta({ description: 'Charged and accrued so far of its applications' }),
  pending: credits.meta({ description: 'What it takes from the balance: held − spent' }),
  resources: z.object({
    cores: z.number(),
    memoryMib: z.number().int(),
    gpus: z.number().int(),
    executors: z.number().int(),
  }),
  multiplierCap: z.string().nullable(),
  quote: z.string().nullable(),
  applications: z.array(z.object({ cluster: z.string(), id: z.string() })),
  createdAt: instant,
  expiresAt: instant,
  resolvedAt: instant.nullable(),
});

/** A step on a reservation, with the balance after it. */
export const restReservationStep = restReservation.extend({
  repeated: z.boolean().meta({ description: 'It had been done before; nothing has changed' }),
  balance: restBalance,
});

export const restReservations = z.object({ reservations: z.array(restReservation) });
