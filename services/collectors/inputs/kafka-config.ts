import { z } from 'zod';
import { isProjectId, type ProjectId } from '../../../shared/values/project-id.ts';

const MIB = 1_048_576;

const broker = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}$/, 'is no address such as kafka-1:9092');
const whole = (least: number) => z.number().int().min(least);

const tls = z.object({
  caFile: z
    .string()
    .optional()
    .describe("PEM file of the authority that signed the brokers' certificates."),
  certificateFile: z.string().optional().describe('PEM file of our own certificate.'),
  keyFile: z.string().optional().describe("PEM file of that certificate's key."),
  keyPassword: z
    .string()
    .optional()
    .describe('Password of that key; name a variable of the environment.'),
});

const sasl = z.object({
  mechanism: z
    .enum(['scram-sha-512', 'scram-sha-256', 'plain'])
    .default('scram-sha-512')
    .describe('How the user is proved; plain needs tls.'),
  username: z.string().min(1).describe('User of the brokers.'),
  password: z.string().min(1).describe('Its password; name a variable of the environment.'),
});

function topic<F extends string>(formats: readonly [F, ...F[]]) {
  return z.object({
    name: z
      .string()
      .regex(/^[\w.-]{1,249}$/, 'is no topic name')
      .describe('Topic to read.'),
    format: z
      .enum(formats)
      .default(formats[0] as never)
      .describe('What a message is.'),
    cluster: z.string().min(1).default('default').describe('Cluster of records that name none.'),
    project: z
      .custom<ProjectId>(isProjectId, 'is no project id')
      .optional()
      .describe('Project of records that name none.'),
  });
}

/** Bounds of memory and of waits. */
const limits = {
  fetchMaxBytes: whole(65_536)
    .default(2 * MIB)
    .describe('Of one answer of a broker, as it is packed, in bytes.'),
  fetchMaxPartitionBytes: whole(16_384)
    .default(MIB / 2)
    .describe('Of one partition in it, in bytes; a larger batch comes alone.'),
  inFlightMaxBytes: whole(MIB)
    .default(64 * MIB)
    .describe('Read and not stored yet, in bytes; topics are paused at half of it.'),
  chunkMaxBytes: whole(4_096).default(MIB).describe('Stored in one go at most, in bytes.'),
  maxRecordBytes: whole(1_024)
    .default(4 * MIB)
    .describe('A longer message is quarantined, in bytes.'),
  parallelChunks: whole(1).max(64).default(16).describe('Chunks that are stored at a time.'),
  sessionTimeoutMs: whole(6_000)
    .default(10_000)
    .describe('A consumer that the group has not heard of for so long has died, in ms.'),
  heartbeatIntervalMs: whole(100)
    .default(1_000)
    .describe('How often the group hears of us, in ms.'),
  maxWaitMs: whole(10).max(5_000).default(300).describe('How long an empty answer waits, in ms.'),
  requestTimeoutMs: whole(1_000)
    .default(10_000)
    .describe('A broker that has not answered for so long is away, in ms.'),
  lagIntervalMs: whole(1_000).default(15_000).describe('How often the lag is asked for, in ms.'),
  drainMs: whole(0)
    .default(5_000)
    .describe('How long a stop waits for what is being stored, in ms.'),
};

/**
 * Kafka as an input of one collector.
 *
 * @param formats what a message of this collector can be; the first is the default
 */
export function kafkaConfig<F extends string>(collector: string, formats: readonly [F, ...F[]]) {
  return z
    .object({
      brokers: z.array(broker).min(1).describe('Addresses to begin with, such as kafka-1:9092.'),
      groupId: z
        .string()
        .min(1)
        .max(249)
        .default(`tollgate-${collector}`)
        .describe('Consumer group; collectors with the same one share the partitions.'),
      topics: z.array(topic(formats)).min(1).describe('Topics to read.'),
      fromBeginning: z
        .boolean()
        .default(true)
        .describe('A group that is new begins with the oldest record, else with the next one.'),
      tls: tls.optional().describe('Speaks TLS; {} trusts the authorities of the system.'),
      sasl: sasl.optional().describe('User and password.'),
      ...limits,
    })
    .refine(({ sasl, tls }) => sasl?.mechanism !== 'plain' || tls !== undefined, {
      path: ['sasl', 'mechanism'],
      message: 'plain sends the password as it is; set tls, or use SCRAM',
    })
    .refine(({ tls }) => (tls?.certificateFile === undefined) === (tls?.keyFile === undefined), {
      path: ['tls'],
      message: 'certificateFile and keyFile come together',
    })
    .refine(({ topics }) => new Set(topics.map(({ name }) => name)).size === topics.length, {
      path: ['topics'],
      message: 'names a topic twice',
    })
    .refine((config) => config.heartbeatIntervalMs * 2 < config.sessionTimeoutMs, {
      path: ['heartbeatIntervalMs'],
      message: 'must be less than half of sessionTimeoutMs',
    })
    .describe('Kafka topics to read; none without it.');
}

export type KafkaConfig = z.infer<ReturnType<typeof kafkaConfig<string>>>;
export type KafkaTopic = KafkaConfig['topics'][number];
