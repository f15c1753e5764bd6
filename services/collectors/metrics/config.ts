import { z } from 'zod';
import { fileLimits } from '../../../shared/config/file-limits.ts';
import { listenerDoor, withDoor } from '../../../shared/config/listener-door.ts';
import { isProjectId, type ProjectId } from '../../../shared/values/project-id.ts';
import { kafkaConfig } from '../inputs/kafka-config.ts';
import { areDistinct, prometheusTarget } from './prometheus-target.ts';

const graphiteSource = withDoor(
  z.object({
    host: z.string().default('127.0.0.1').describe('Address that the Graphite listener binds.'),
    port: z
      .number()
      .int()
      .min(0)
      .max(65_535)
      .default(2003)
      .describe("Port of the Graphite listener; Spark's GraphiteSink sends here."),
    ...listenerDoor,
    cluster: z
      .string()
      .min(1)
      .default('default')
      .describe('Cluster whose applications send to this listener.'),
    project: z
      .custom<ProjectId>(isProjectId, 'a project id')
      .optional()
      .describe('Project of everything that comes in here; without it, the application decides.'),
    projectFromPrefix: z
      .boolean()
      .default(false)
      .describe("Takes the first segment of the sink's prefix as the project."),
    prefixSegments: z
      .number()
      .int()
      .min(0)
      .max(8)
      .default(0)
      .describe(
        "Dot-separated segments of the sink's prefix, where the namespace is no application id.",
      ),
  }),
);

/** Bounds of the embedded store's files. */
const store = z
  .object({
    rawRetentionMs: z
      .number()
      .int()
      .min(3_600_000)
      .default(48 * 3_600_000)
      .describe("Age at which a day's raw points go, in ms."),
    minuteRetentionMs: z
      .number()
      .int()
      .min(3_600_000)
      .default(35 * 86_400_000)
      .describe("Age at which a day's one-minute aggregates go, in ms."),
    ...fileLimits,
  })
  .prefault({})
  .describe('Limits of the embedded store.');

/** Options of the metric collector. */
export const metricsConfig = z.object({
  store,
  graphite: z
    .array(graphiteSource)
    .prefault([{}])
    .describe('Listeners for Graphite plaintext, one for each cluster.'),
  kafka: kafkaConfig('metrics', ['json', 'graphite']).optional(),
  prometheus: z
    .array(prometheusTarget)
    .default([])
    .refine(areDistinct, 'two targets have the same cluster, instance and path; give an instance')
    .describe("Targets that are asked for Prometheus' text format."),
  parallelScrapes: z
    .number()
    .int()
    .min(1)
    .max(256)
    .default(8)
    .describe('Targets asked at a time; each holds one answer in memory.'),
  maxConnections: z
    .number()
    .int()
    .positive()
    .default(2_000)
    .describe('Connections that one listener holds at a time; more are refused.'),
  idleTimeoutMs: z
    .number()
    .int()
    .min(0)
    .default(600_000)
    .describe('A connection without a byte for this long is closed, in ms; 0 keeps it.'),
  maxLineBytes: z
    .number()
    .int()
    .min(256)
    .max(65_536)
    .default(4_096)
    .describe('A longer line is dropped, in bytes.'),
  batchPoints: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(131_072)
    .describe('Points that wait for the store before the senders are held back.'),
  maxPastMs: z
    .number()
    .int()
    .positive()
    .default(30 * 86_400_000)
    .describe('Points that are older than this are dropped, in ms.'),
  maxFutureMs: z
    .number()
    .int()
    .positive()
    .default(3_600_000)
    .describe('Points that are dated later than this from now are dropped, in ms.'),
  maxSeriesPerProject: z
    .number()
    .int()
    .positive()
    .default(50_000)
    .describe('Live series of a project; points of further ones are dropped.'),
  maxNames: z
    .number()
    .int()
    .positive()
    .default(500_000)
    .describe('Names kept in memory, over all projects; points of further ones are dropped.'),
  seriesIdleMs: z
    .number()
    .int()
    .min(60_000)
    .default(3_600_000)
    .describe('A series without a point for this long is no longer live, in ms.'),
  maxRequestBytes: z
    .number()
    .int()
    .positive()
    .default(64 * 1024 * 1024)
    .describe('Bodies of pushed metrics that are worked on at a time, in bytes; more get 429.'),
  storeTimeoutMs: z
    .number()
    .int()
    .positive()
    .default(10_000)
    .describe('How long a push, or the end of the service, waits for a store that is away, in ms.'),
});

export type MetricsConfig = z.infer<typeof metricsConfig>;
export type GraphiteSource = z.infer<typeof graphiteSource>;
