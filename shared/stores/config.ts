import { z } from 'zod';
import { credentialProblem, elasticOptions } from './elastic/config.ts';
import { indexPlanConfig } from './elastic/indices/plan-config.ts';
import { influxConfig } from './influx/config.ts';
import { postgresConfig } from './sql/config.ts';

/** The URL of a store of the embedded engine, whose files lie in the data folder. */
const EMBEDDED = 'sqlite:';

/** A server's URL as its adapter wants it, or the embedded engine. */
function urlOrEmbedded<S extends z.ZodType<string>>(server: S, sentence: string) {
  return z
    .string()
    .default(EMBEDDED)
    .superRefine((text, context) => {
      if (text === EMBEDDED) return;
      for (const { message } of server.safeParse(text).error?.issues ?? []) {
        context.addIssue({ code: 'custom', message: `${message}, nor ${EMBEDDED}` });
      }
    })
    .describe(sentence);
}

/** Where records are kept; each store apart from the others on an engine of its own. */
export const storesConfig = z.object({
  ledger: postgresConfig
    .extend({
      url: urlOrEmbedded(
        postgresConfig.shape.url,
        'sqlite: for files in the data folder, or postgresql://user@host:port/database.',
      ),
    })
    .prefault({})
    .describe('Journal, ledger, prices, checkpoints, leases, tokens and the quarantine.'),
  logs: elasticOptions
    .extend({
      url: urlOrEmbedded(
        elasticOptions.shape.url,
        'sqlite: for files in the data folder, or the address of Elasticsearch 8 or 9.',
      ),
      indexPlan: indexPlanConfig
        .prefault({})
        .describe('Which logs share an index, and how long they are kept, in Elasticsearch.'),
    })
    .superRefine((config, context) => {
      const message = credentialProblem(config);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .prefault({})
    .describe('Log lines.'),
  metrics: influxConfig
    .extend({
      url: urlOrEmbedded(
        influxConfig.shape.url,
        'sqlite: for files in the data folder, or the address of InfluxDB 1.8 or 2.x.',
      ),
    })
    .prefault({})
    .describe('Metrics and the progress of streaming queries.'),
});

export type StoresConfig = z.infer<typeof storesConfig>;

/** What a process opens its stores from: plain data, so that its threads can be given it. */
export interface StoresSetup {
  /** Folder of the embedded stores. */
  readonly dataFolder: string;
  /** Name of this process among those that share stores; the same after a restart. */
  readonly process: string;
  readonly stores: StoresConfig;
}

/** True when the store lies in the data folder, where only one process can use it. */
export function isEmbedded({ url }: { readonly url: string }): boolean {
  return url === EMBEDDED;
}
