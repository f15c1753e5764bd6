import { z } from 'zod';
import { parseCredits } from '../values/money.ts';
import { NO_LIMITS, type ProjectLimits } from './evaluate-limits.ts';

const bytes = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();

/** Quotas of one project, as `tollgate.yaml` writes them. */
export const projectLimitsConfig = z
  .strictObject({
    creditLine: z
      .string()
      .refine((text) => (parseCredits(text) ?? -1n) >= 0n, 'must be credits of 0 or more')
      .default('0')
      .describe('How far below zero its balance may be promised, in credits.'),
    cores: z
      .number()
      .min(0)
      .max(1_000_000)
      .optional()
      .describe('Cores that it may hold at a time, running or reserved.'),
    storedBytes: bytes.describe('Bytes that it may have stored in the places of `storage`.'),
    logBytesPerDay: bytes.describe(
      'Bytes of log messages in a UTC day over which no job starts; without it, that of logs.quota.',
    ),
    staleMs: z
      .number()
      .int()
      .min(1_000)
      .max(30 * 86_400_000)
      .default(NO_LIMITS.staleMs)
      .describe('A measurement of bytes older than this is stale.'),
    failMode: z
      .enum(['open', 'closed'])
      .default('open')
      .describe(
        'Whether jobs start (open) or not (closed) while a measurement is stale or missing.',
      ),
  })
  .prefault({})
  .describe('Quotas; what is left out has no limit.');

interface LimitedProject {
  readonly id: string;
  readonly limits: z.infer<typeof projectLimitsConfig>;
}

interface LogQuota {
  readonly project: string;
  readonly bytesPerDay?: number | undefined;
}

const toBytes = (value: number | undefined): bigint | undefined =>
  value === undefined ? undefined : BigInt(Math.trunc(value));

/**
 * The limits of each project.
 *
 * @param logQuotas of the log collector: they hold for the check too where a project has no other
 */
export function limitsByProject(
  projects: readonly LimitedProject[],
  logQuotas: readonly LogQuota[],
): (project: string) => ProjectLimits {
  const logBytes = new Map(logQuotas.map(({ project, bytesPerDay }) => [project, bytesPerDay]));
  const found = new Map<string, ProjectLimits>();
  for (const [project, bytesPerDay] of logBytes) {
    found.set(project, { ...NO_LIMITS, logBytesPerDay: toBytes(bytesPerDay) });
  }
  for (const { id, limits } of projects) {
    const { creditLine, cores, storedBytes, logBytesPerDay, staleMs, failMode } = limits;
    found.set(id, {
      creditLine: parseCredits(creditLine) ?? 0n,
      millicores: cores === undefined ? undefined : Math.round(cores * 1_000),
      storedBytes: toBytes(storedBytes),
      logBytesPerDay: toBytes(logBytesPerDay ?? logBytes.get(id)),
      ...{ staleMs, failMode },
    });
  }
  return (project) => found.get(project) ?? NO_LIMITS;
}
