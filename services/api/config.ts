import { z } from 'zod';
import { listenerDoor, withDoor } from '../../shared/config/listener-door.ts';
import { quotesConfig } from './quotes/config.ts';

export const apiConfig = withDoor(
  z.object({
    host: z.string().default('127.0.0.1').describe('Address that the API and the page bind.'),
    port: z
      .number()
      .int()
      .min(0)
      .max(65_535)
      .default(8_470)
      .describe('Port of the API and the page; 0 takes any free one.'),
    ...listenerDoor,
    requireToken: z
      .boolean()
      .default(false)
      .describe(
        'Asks for an API token on a loopback address too; elsewhere one is always asked for.',
      ),
    hstsMaxAgeSeconds: z
      .number()
      .int()
      .min(0)
      .default(31_536_000)
      .describe(
        'How long browsers keep to https for this host name, all its ports included, in s; 0 leaves that out.',
      ),
    hostNames: z
      .array(z.string().min(1))
      .default([])
      .describe('Names besides the loopback ones under which a loopback address may be called.'),
    quotes: quotesConfig,
    ingestBodyMaxBytes: z
      .number()
      .int()
      .min(1_024)
      .max(1_073_741_824)
      .default(16_777_216)
      .describe('Largest body of an ingest request after decompression, in bytes; more gets 413.'),
    ingestQueueMaxBytes: z
      .number()
      .int()
      .min(1_024)
      .max(4_294_967_296)
      .default(67_108_864)
      .describe('Bodies of all ingest requests in work, in bytes; more get 429.'),
  }),
)
  .prefault({})
  .describe('REST API and page.');

export type ApiConfig = z.infer<typeof apiConfig>;
