import { z } from 'zod';
import { attributionRules } from '../../../shared/attribution/attribution-rules.ts';
import { actConfig } from '../../../shared/clusters/act-config.ts';
import { databricksConfig, emrConfig } from '../../../shared/clusters/cloud-config.ts';
import { ACTIVITY_SIGNALS } from '../../../shared/clusters/cluster-actuator.ts';
import { kafkaConfig } from '../inputs/kafka-config.ts';

const webAddress = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'is no http address');

const template = z
  .string()
  .refine((text) => /^https?:\/\//.test(text), 'must begin with http:// or https://')
  .optional();

/** Placeholders: {application} {attempt} {container} {user} {from} {until} {cluster}. */
const links = z
  .object({
    sparkUi: template.describe(
      'Spark UI of a running application, such as http://rm/proxy/{application}/.',
    ),
    historyServer: template.describe('Ended application in the History Server.'),
    manager: template.describe("Application's page of the cluster manager."),
    logs: template.describe('Logs of an application, such as Kibana with {from} and {until}.'),
  })
  .prefault({})
  .describe('Templates of the links that the page shows.');

const cluster = z
  .object({
    id: z.string().min(1).max(256).describe('Name of the cluster in every fact and answer.'),
    type: z
      .enum(['yarn', 'standalone', 'databricks', 'emr', 'none'])
      .default('none')
      .describe(
        'Manager that is asked for containers; none reads event logs and pushed facts only.',
      ),
    links,
    urls: z
      .array(webAddress)
      .default([])
      .describe(
        'Web addresses of its ResourceManagers or masters, such as http://rm:8088, or of the workspace of Databricks.',
      ),
    user: z
      .string()
      .min(1)
      .optional()
      .describe('YARN: name under which it is asked, where it has simple security.'),
    readWorkers: z
      .boolean()
      .default(true)
      .describe('Standalone: ask workers for their executors, which the master does not list.'),
    pollIntervalMs: z
      .number()
      .int()
      .min(100)
      .default(5_000)
      .describe('How often the manager is asked.'),
    timeoutMs: z.number().int().min(100).default(10_000).describe('Longest wait for an answer.'),
    maxAnswerBytes: z
      .number()
      .int()
      .min(65_536)
      .default(134_217_728)
      .describe('A longer answer of the manager is refused.'),
    parallelRequests: z
      .number()
      .int()
      .min(1)
      .max(64)
      .default(8)
      .describe('Requests to the manager and its workers at a time.'),
    goneAfterMs: z
      .number()
      .int()
      .min(0)
      .default(30_000)
      .describe('How long whole answers must miss a container before it counts as gone.'),
    eventLogs: z
      .array(z.string().min(1))
      .default([])
      .describe('Folders, files or globs of Spark event logs that are followed.'),
    databricks: databricksConfig.optional().describe('Databricks: which cluster, and the token.'),
    emr: emrConfig
      .optional()
      .describe('EMR: which cluster. Credentials come from the environment, a profile or a role.'),
    neverHas: z
      .array(z.enum(ACTIVITY_SIGNALS))
      .default([])
      .describe(
        'Activity that this cluster never has, by the word of who runs it, such as driver-work where only SQL is served. What nobody tells keeps a cluster from ever counting as idle.',
      ),
    act: actConfig
      .optional()
      .describe('What the alerter may do to it; without it a cluster is only seen.'),
    yarnMemoryStepMib: z
      .number()
      .int()
      .min(0)
      .default(0)
      .describe('Minimum allocation to which YARN rounds memory up; 0 takes it as it was asked.'),
  })
  .refine(({ type, urls }) => type === 'none' || type === 'emr' || urls.length > 0, {
    path: ['urls'],
    message: 'a cluster with a manager needs its address',
  })
  .refine(({ type, databricks }) => type !== 'databricks' || databricks?.token !== undefined, {
    path: ['databricks'],
    message: 'a cluster of Databricks needs databricks.token, from a variable or a file',
  })
  .refine(({ type, emr }) => type !== 'emr' || emr !== undefined, {
    path: ['emr'],
    message: 'a cluster of EMR needs emr.region and emr.clusterId or emr.clusterName',
  });

export const containersConfig = z
  .object({
    clusters: z
      .array(cluster)
      .default([])
      .refine(
        (all) => new Set(all.map(({ id }) => id)).size === all.length,
        'each cluster needs an id of its own',
      )
      .describe('Clusters whose containers are journaled.'),
    attribution: attributionRules,
    kafka: kafkaConfig('containers', ['json']).optional(),
    scanIntervalMs: z
      .number()
      .int()
      .min(50)
      .default(1_000)
      .describe('How often event logs are looked for and read on.'),
    activityIntervalMs: z
      .number()
      .int()
      .min(0)
      .default(5_000)
      .describe('Least time between two snapshots of what a running application does.'),
    settleMs: z
      .number()
      .int()
      .min(0)
      .default(10_000)
      .describe('How long a closed event log without an end must be unchanged to be believed.'),
    idleMs: z
      .number()
      .int()
      .min(1_000)
      .default(3_600_000)
      .describe(
        'An event log in progress that did not grow for so long is put aside until it does.',
      ),
    maxLogAgeDays: z
      .number()
      .min(0)
      .max(36_500)
      .default(30)
      .describe('Event logs last written longer ago than this are not read.'),
    maxFollowedLogs: z
      .number()
      .int()
      .min(1)
      .default(500)
      .describe('Event logs held in memory at a time; others wait.'),
    queueBytes: z
      .number()
      .int()
      .min(65_536)
      .default(33_554_432)
      .describe('Pushed facts that wait to be stored; more is answered with 429.'),
  })
  .prefault({});

export type ContainersConfig = z.output<typeof containersConfig>;
