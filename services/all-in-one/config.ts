import { z } from 'zod';
import { storesConfig } from '../../shared/stores/config.ts';
import { alerterConfig } from '../alerter/config.ts';
import { apiConfig } from '../api/config.ts';
import { containersConfig } from '../collectors/containers/config.ts';
import { logsConfig } from '../collectors/logs/config.ts';
import { metricsConfig } from '../collectors/metrics/config.ts';
import { progressConfig } from '../collectors/progress/config.ts';
import { meteringConfig } from '../metering/config.ts';

/** Everything that `tollgate.yaml` can say, each part declared by its service. */
export const tollgateConfig = z.object({
  dataFolder: z
    .string()
    .min(1)
    .default('tollgate-data')
    .describe('Folder of the embedded stores; one process at a time uses it.'),
  process: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, 'must be letters, digits and . _ -')
    .optional()
    .describe(
      'Name of a process that collects, unique among those that share stores; it must stay the same over restarts. Without one, the name of the host.',
    ),
  threads: z
    .boolean()
    .default(true)
    .describe(
      'False: one thread does everything, with a heap kept small. For the collector of a node, whose memory counts more than its speed.',
    ),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least severity of the log lines that Tollgate itself writes.'),
  stores: storesConfig.prefault({}).describe('Where records are kept.'),
  api: apiConfig,
  logs: logsConfig.prefault({}).describe('Logs of drivers and executors.'),
  metrics: metricsConfig.prefault({}).describe('Spark metrics over Graphite and HTTP.'),
  progress: progressConfig.describe('Progress of streaming queries.'),
  containers: containersConfig
    .prefault({})
    .describe('Clusters, event logs, and which project an application belongs to.'),
  alerter: alerterConfig.prefault({}).describe('Rules, who is told, and what may be done.'),
  metering: meteringConfig.prefault({}).describe('Rates, prices and projects.'),
});

export type TollgateConfig = z.infer<typeof tollgateConfig>;
