import { z } from 'zod';

const MIB = 1_048_576;

function hasNoCredentials(text: string): boolean {
  const url = URL.parse(text);
  return url === null || (url.username === '' && url.password === '');
}

/** Options of the log store in Elasticsearch 8 or 9, each for itself. */
export const elasticOptions = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'is no http or https URL' })
    .refine(hasNoCredentials, 'must not hold credentials: give username and password, or apiKey')
    .describe('Address of Elasticsearch, such as https://logs.example:9200.'),
  apiKey: z.string().min(1).optional().describe('API key in its encoded form.'),
  username: z.string().min(1).optional().describe('User for basic authentication.'),
  password: z.string().min(1).optional().describe('Password of the user.'),
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe("PEM file of the authority that signed the server's certificate."),
  indexPrefix: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be lower-case letters, digits and -')
    .default('tollgate-logs')
    .describe('What the names of all log indices begin with.'),
  shards: z
    .int()
    .min(1)
    .max(1_024)
    .default(1)
    .describe('Primary shards of a new index that the index plan gives no other number.'),
  replicas: z.int().min(0).max(10).default(1).describe('Copies of each primary shard.'),
  refreshIntervalMs: z
    .int()
    .min(100)
    .max(300_000)
    .default(1_000)
    .describe('After this long what was written is found, in ms.'),
  bulkBytes: z
    .int()
    .min(65_536)
    .max(90 * MIB)
    .default(4 * MIB)
    .describe('Largest body of one write, in bytes; it shrinks by itself when refused.'),
  concurrentBulks: z
    .int()
    .min(1)
    .max(64)
    .default(2)
    .describe('Writes under way at a time, of one process.'),
  requestTimeoutMs: z
    .int()
    .min(1_000)
    .max(600_000)
    .default(30_000)
    .describe('A request without an answer for this long has failed, in ms.'),
  searchTimeoutMs: z
    .int()
    .min(100)
    .max(600_000)
    .default(10_000)
    .describe('A search is given up after this long, in ms.'),
  retryForMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(5_000)
    .describe('A write that makes no headway for this long fails, and its caller decides, in ms.'),
});

export type ElasticConfig = z.infer<typeof elasticOptions>;

/** What is wrong with the credentials together; undefined when nothing is. */
export function credentialProblem(
  config: Pick<ElasticConfig, 'apiKey' | 'username' | 'password'>,
): string | undefined {
  const { apiKey, username, password } = config;
  if ((username === undefined) !== (password === undefined)) {
    return 'username and password go together';
  }
  if (apiKey !== undefined && username !== undefined) {
    return 'give either apiKey or username and password';
  }
  return undefined;
}

/** Options of the log store in Elasticsearch 8 or 9. */
export const elasticConfig = elasticOptions.superRefine((config, context) => {
  const message = credentialProblem(config);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});
