import { z } from 'zod';

const path = z
  .string()
  .regex(/^\//, 'must be absolute')
  .describe('Absolute path of the folder whose bytes count.');

const place = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('directory').describe('A folder that the meter sees.'), path }),
  z.strictObject({
    type: z.literal('webhdfs').describe('A folder of HDFS, asked of its NameNode.'),
    url: z.url({ protocol: /^https?$/ }).describe('NameNode, such as http://namenode:9870.'),
    path,
    user: z.string().min(1).optional().describe('User that asks, where HDFS trusts its callers.'),
  }),
  z.strictObject({ type: z.literal('logs').describe("The project's log messages in Tollgate.") }),
]);

/** Where a project's bytes lie. */
export const storagePlaces = z
  .array(place)
  .default([])
  .describe('Places whose bytes count together against limits.storedBytes.');

export type StoragePlace = z.infer<typeof place>;
