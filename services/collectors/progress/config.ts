import { z } from 'zod';
import { parseProjectId } from '../../../shared/values/project-id.ts';
import { kafkaConfig } from '../inputs/kafka-config.ts';
import { sharedLeaseMs } from '../inputs/shared-lease-config.ts';

const projectId = z
  .string()
  .refine((text) => parseProjectId(text) !== undefined, 'is no project id')
  .transform((text) => parseProjectId(text));

const fileSource = z.object({
  shared: z
    .boolean()
    .default(false)
    .describe(
      'Several collectors see these files, under the same paths (a shared volume), and divide them among themselves by lease; needs stores that are servers.',
    ),
  paths: z
    .array(z.string())
    .min(1)
    .describe(
      'Files with one JSON record a line, or Spark event logs; `{application}` and `{project}` in a path are read from it.',
    ),
  cluster: z.string().default('default').describe('Cluster that the queries run on.'),
  project: projectId.optional().describe('Project of records and paths that name none.'),
});

export const progressConfig = z
  .object({
    files: z
      .array(fileSource)
      .default([])
      .describe('Files that listeners or Spark write progress to.'),
    kafka: kafkaConfig('progress', ['json']).optional(),
    sharedLeaseMs,
    windowBatches: z
      .number()
      .int()
      .min(2)
      .max(100)
      .default(10)
      .describe('Batches of a query that a verdict looks back.'),
    windowMs: z
      .number()
      .int()
      .positive()
      .default(600_000)
      .describe('Time that a verdict looks back, as long as minimumBatches remain.'),
    minimumBatches: z
      .number()
      .int()
      .min(2)
      .default(3)
      .describe('Warn and stall are said of no fewer batches.'),
    silentAfterMs: z
      .number()
      .int()
      .positive()
      .default(120_000)
      .describe('A query that says nothing for less time than this is never called silent.'),
    silentFactor: z
      .number()
      .min(1)
      .default(3)
      .describe('Silence is at least this many times the longest batch of the window.'),
    evaluateIntervalMs: z
      .number()
      .int()
      .positive()
      .default(10_000)
      .describe('How often queries are looked at for silence.'),
    forgetAfterMs: z
      .number()
      .int()
      .positive()
      .default(86_400_000)
      .describe('A query that ended or fell silent is forgotten after this time without a record.'),
    maxQueries: z
      .number()
      .int()
      .positive()
      .default(10_000)
      .describe('Queries followed at a time; the one heard of longest ago is forgotten first.'),
    maxSamples: z
      .number()
      .int()
      .positive()
      .default(500_000)
      .describe('Batches times partitions remembered over all queries.'),
    maxPartitions: z
      .number()
      .int()
      .positive()
      .default(1_000)
      .describe('Partitions of a query that are followed each; others count in its lag alone.'),
    maxRecordBytes: z
      .number()
      .int()
      .min(65_536)
      .default(4_194_304)
      .describe('A longer record is quarantined.'),
    queueBytes: z
      .number()
      .int()
      .positive()
      .default(33_554_432)
      .describe('Records that wait to be stored; a full queue answers 429 and pauses files.'),
  })
  .prefault({});

export type ProgressConfig = z.infer<typeof progressConfig>;
