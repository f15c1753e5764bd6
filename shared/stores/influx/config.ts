import { z } from 'zod';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../values/instant.ts';
import { DEFAULT_MEASUREMENTS, schemaProblem } from './metric-schema.ts';

const count = (least: number, fallback: number, most = Number.MAX_SAFE_INTEGER) =>
  z.number().int().min(least).max(most).default(fallback);
const name = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, _ and - only');

const connection = {
  url: z
    .url({ protocol: /^https?$/ })
    .describe('Address of InfluxDB, such as http://influx:8086, without user and password.'),
  database: name
    .default('tollgate')
    .describe('Database of InfluxDB 1.x; ignored when a token is given.'),
  username: z.string().default('').describe('User of InfluxDB 1.x; empty without authentication.'),
  password: z.string().default('').describe("That user's password."),
  org: z.string().default('').describe('Organization of InfluxDB 2.x, by name.'),
  bucket: name
    .default('tollgate')
    .describe('Buckets of InfluxDB 2.x: <bucket>/raw and <bucket>/long.'),
  token: z.string().default('').describe('API token of InfluxDB 2.x; makes this a 2.x server.'),
  caFile: z
    .string()
    .default('')
    .describe("PEM file with the certificate authority of the server; empty: the system's."),
};

const writing = {
  batchPoints: count(1, 10_000, 100_000).describe('Points of one request at most.'),
  batchBytes: count(1_024, 4_194_304).describe('Text of one request before gzip, in bytes.'),
  requestsInFlight: count(1, 2, 16).describe('Write requests that are under way at a time.'),
  gzip: z.boolean().default(true).describe('Compresses what is written.'),
  requestTimeoutMs: count(100, 15_000).describe('An answer is waited for this long, in ms.'),
  retryMs: count(0, 10_000).describe(
    'A write is tried again for this long before it fails as unavailable, in ms.',
  ),
};

const keeping = {
  rawRetentionMs: count(HOUR_MS, 48 * HOUR_MS).describe(
    'Age at which raw points go, in ms; older ones are refused as beyond-retention.',
  ),
  longRetentionMs: count(HOUR_MS, 400 * DAY_MS).describe(
    'Age at which long-term aggregates go, in ms.',
  ),
  longStepMs: count(MINUTE_MS, 5 * MINUTE_MS)
    .refine((ms) => HOUR_MS % ms === 0, 'a part of an hour')
    .describe('Span of one long-term aggregate, in ms; an hour is a multiple of it.'),
  longGraceMs: count(0, 10 * MINUTE_MS).describe(
    'An hour is aggregated this long after its end, in ms.',
  ),
  longTags: z
    .array(z.string().min(1))
    .default(['query', 'topic', 'name', 'plugin'])
    .describe('Tags kept in long-term aggregates beside project and cluster.'),
  maxRawSeries: count(1, 1_500_000).describe('Series in the server; points of more are dropped.'),
  maxLongSeries: count(1, 2_000).describe(
    'Long-term series of one project, hour and measurement; more are dropped.',
  ),
  maxLongSeriesInAll: count(1, 50_000).describe(
    'Long-term series of all projects; new ones of more are dropped as long-series-limit.',
  ),
  maxFields: count(1, 2_000).describe('Fields of one measurement; points of more are dropped.'),
  measurements: z
    .array(
      z.object({
        measurement: z.string().min(1).describe('Measurement as collectors name it.'),
        fields: z.array(z.string().min(1)).describe('Its fields; * stands for any run of signs.'),
        into: z
          .string()
          .min(1)
          .optional()
          .describe('Measurement of InfluxDB where its fields lie as <measurement>.<field>.'),
      }),
    )
    .default([...DEFAULT_MEASUREMENTS])
    .superRefine((entries, context) => {
      const problem = schemaProblem(entries);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    })
    .describe('Metrics that are kept; points of others are dropped as not-allowed.'),
};

/** Options of metrics in InfluxDB 1.8, 2.x or (reading and writing only, untested) 3. */
export const influxConfig = z.object({ ...connection, ...writing, ...keeping });

export type InfluxConfig = z.infer<typeof influxConfig>;
