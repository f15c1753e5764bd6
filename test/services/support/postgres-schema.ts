import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { systemClock } from '../../../shared/runtime/clock.ts';
import { type PostgresConfig, postgresConfig } from '../../../shared/stores/sql/config.ts';
import { initPostgres } from '../../../shared/stores/sql/init-postgres.ts';

export const RETRY = { clock: systemClock, random: Math.random };

/** Options of a server's schema that nobody has used, and that isn't made yet. */
export function unusedSchema(
  { url }: { readonly url: string },
  more: Partial<z.input<typeof postgresConfig>> = {},
): PostgresConfig {
  const schema = `t_${randomUUID().replaceAll('-', '')}`;
  return postgresConfig.parse({ url, schema, poolSize: 4, ...more });
}

/** As unusedSchema, with its tables. */
export async function freshSchema(
  server: { readonly url: string },
  more: Partial<z.input<typeof postgresConfig>> = {},
): Promise<PostgresConfig> {
  const config = unusedSchema(server, more);
  await initPostgres(config, { clock: systemClock });
  return config;
}
