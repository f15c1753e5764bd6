import { z } from 'zod';

function isPostgresUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    ['postgres:', 'postgresql:'].includes(url.protocol) &&
    url.hostname !== '' &&
    url.pathname.length > 1 &&
    url.search === ''
  );
}

const durationMs = (max: number) => z.number().int().min(1).max(max);

/** Where PostgreSQL is, and how much of it one process takes. */
export const postgresConfig = z.object({
  url: z
    .string()
    .refine(isPostgresUrl, 'is no postgresql://user@host:port/database without parameters')
    .describe('Address, such as postgresql://tollgate@db.example:5432/tollgate.'),
  password: z
    .string()
    .optional()
    .describe("Password of the URL's user; name a variable here, so that it lies elsewhere."),
  schema: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,39}$/, 'is no plain lower-case name')
    .default('tollgate')
    .describe('Schema that holds the tables.'),
  tls: z.boolean().default(false).describe('Encrypts, and checks the certificate of the server.'),
  caFile: z
    .string()
    .optional()
    .describe('PEM file of the authority that signed that certificate; implies tls.'),
  poolSize: z.number().int().min(1).max(200).default(10).describe('Most connections of a process.'),
  connectTimeoutMs: durationMs(60_000)
    .default(5_000)
    .describe('Longest wait for a connection, a free one of the pool included.'),
  statementTimeoutMs: durationMs(600_000)
    .default(30_000)
    .describe('Longest that one statement may take, the wait for a lock included.'),
  idleTimeoutMs: durationMs(3_600_000)
    .default(30_000)
    .describe('A connection that nobody used for so long is closed.'),
  idleInTransactionTimeoutMs: durationMs(600_000)
    .default(10_000)
    .describe('The server ends a transaction whose process is silent for so long.'),
});

export type PostgresConfig = z.infer<typeof postgresConfig>;

/** The address as it may be printed: without user and password. */
export function printableUrl({ url }: Pick<PostgresConfig, 'url'>): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
