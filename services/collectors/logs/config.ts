import { z } from 'zod';
import { fileLimits } from '../../../shared/config/file-limits.ts';
import { listenerDoor, withDoor } from '../../../shared/config/listener-door.ts';
import { isProjectId, type ProjectId } from '../../../shared/values/project-id.ts';
import { kafkaConfig } from '../inputs/kafka-config.ts';
import { sharedLeaseMs } from '../inputs/shared-lease-config.ts';

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}

const zone = z
  .string()
  .refine(isZone, 'is no IANA time zone, such as Europe/Berlin')
  .default('UTC')
  .describe('Time zone of lines that print none: the one of the node that wrote them.');
const cluster = z.string().min(1).default('default').describe('Cluster that writes here.');
const project = z
  .custom<ProjectId>(isProjectId, 'is no project id')
  .optional()
  .describe('Project of everything here; without it, {project} in the path or the application.');

const fileSource = z.object({
  shared: z
    .boolean()
    .default(false)
    .describe(
      'Several collectors see these files, under the same paths (a shared volume), and divide them among themselves by lease; needs stores that are servers.',
    ),
  paths: z
    .array(z.string().min(1))
    .min(1)
    .describe(
      'Path patterns, such as /logs/{application}/{container}/stderr; {cluster} and {project} are read too, * is part of a name, ** any folders.',
    ),
  cluster,
  project,
  zone,
});

const tcpSource = withDoor(
  z.object({
    host: z.string().default('127.0.0.1').describe('Address that the listener binds.'),
    port: z
      .number()
      .int()
      .min(0)
      .max(65_535)
      .default(4560)
      .describe("Port for JSON or text lines, such as log4j2's socket appender sends."),
    ...listenerDoor,
    cluster,
    project,
    zone,
  }),
);

const quota = z
  .object({
    project: z.custom<ProjectId>(isProjectId, 'is no project id').describe('Whose quota it is.'),
    linesPerSecond: z
      .number()
      .positive()
      .optional()
      .describe('Lines a second; over it DEBUG, then INFO lines are sampled, never WARN or above.'),
    bytesPerDay: z
      .number()
      .positive()
      .optional()
      .describe('Bytes of messages in a UTC day, instead of lines a second.'),
  })
  .refine(
    ({ linesPerSecond, bytesPerDay }) =>
      (linesPerSecond === undefined) !== (bytesPerDay === undefined),
    'a quota has either linesPerSecond or bytesPerDay',
  );

/** Bounds of the embedded store's files. */
const store = z
  .object({
    retentionMs: z
      .number()
      .int()
      .min(3_600_000)
      .default(30 * 86_400_000)
      .describe("Age at which a day's file of log lines goes, in ms."),
    ...fileLimits,
  })
  .prefault({})
  .describe('Limits of the embedded store.');

/** Options of the log collector. */
export const logsConfig = z.object({
  store,
  files: z.array(fileSource).default([]).describe('Log files to follow.'),
  tcp: z.array(tcpSource).default([]).describe('Listeners for log lines over TCP.'),
  kafka: kafkaConfig('logs', ['json', 'text']).optional(),
  quota: z
    .array(quota)
    .default([])
    .refine(
      (all) => new Set(all.map(({ project }) => project)).size === all.length,
      'a project has one quota',
    )
    .describe('Log quotas of projects; a project without one has none.'),
  quietMs: z
    .number()
    .int()
    .positive()
    .default(500)
    .describe('An event whose next line has not come for this long is complete, in ms.'),
  attributionWaitMs: z
    .number()
    .int()
    .min(0)
    .default(30_000)
    .describe(
      'How long the files of an application that the ledger does not know yet are held back, in ms.',
    ),
  maxRecordBytes: z
    .number()
    .int()
    .min(1_024)
    .default(1_048_576)
    .describe('A longer event is cut and marked, in bytes.'),
  batchRecords: z
    .number()
    .int()
    .positive()
    .default(10_000)
    .describe('Records that are stored in one transaction at most.'),
  scanIntervalMs: z
    .number()
    .int()
    .positive()
    .default(1_000)
    .describe('How often folders are searched for new and rotated files, in ms.'),
  pollIntervalMs: z
    .number()
    .int()
    .positive()
    .default(100)
    .describe('How often files that grew lately are read on, in ms.'),
  maxOpenFiles: z
    .number()
    .int()
    .positive()
    .default(2_048)
    .describe('Files held open, so that a deleted one is read to its end.'),
  sharedLeaseMs,
  spoolBytes: z
    .number()
    .int()
    .min(1_048_576)
    .default(256 * 1_048_576)
    .describe('Disk space for lines from TCP that wait for the store; when full, senders wait.'),
  maxConnections: z
    .number()
    .int()
    .positive()
    .default(1_000)
    .describe('Connections that one listener holds at a time; more are refused.'),
  idleTimeoutMs: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('A connection without a byte for this long is closed, in ms; 0 keeps it.'),
  maxRequestBytes: z
    .number()
    .int()
    .positive()
    .default(64 * 1_048_576)
    .describe('Bodies of pushed logs that are worked on at a time, in bytes; more get 429.'),
  storeTimeoutMs: z
    .number()
    .int()
    .positive()
    .default(10_000)
    .describe('How long a push, or the end of the service, waits for a store that is away, in ms.'),
});

export type LogsConfig = z.infer<typeof logsConfig>;
export type LogFileSource = z.infer<typeof fileSource>;
export type LogTcpSource = z.infer<typeof tcpSource>;
export type LogQuota = z.infer<typeof quota>;
