import { readFileSync } from 'node:fs';
import { Client, type ClientOptions, ClusterConnectionPool } from '@elastic/elasticsearch';
import { AppError } from '../../errors/app-error.ts';
import type { ElasticConfig } from './config.ts';

function authority(caFile: string): string {
  try {
    return readFileSync(caFile, 'utf8');
  } catch (cause) {
    throw new AppError(
      'STORE_MISCONFIGURED',
      `Elasticsearch: the certificate file ${caFile} can't be read; correct caFile or its rights`,
      { cause },
    );
  }
}

function credentials(config: ElasticConfig): Pick<ClientOptions, 'auth'> {
  const { apiKey, username, password } = config;
  if (apiKey !== undefined) return { auth: { apiKey } };
  return username === undefined || password === undefined ? {} : { auth: { username, password } };
}

/**
 * The official client, which tries nothing again by itself: each caller knows what may be repeated.
 *
 * @throws AppError STORE_MISCONFIGURED when the file of the authority can't be read
 */
export function openElasticClient(config: ElasticConfig): Client {
  return new Client({
    node: config.url,
    maxRetries: 0,
    requestTimeout: config.requestTimeoutMs,
    // No request of its own beside ours to a server that is away.
    ConnectionPool: ClusterConnectionPool,
    resurrectStrategy: 'optimistic',
    sniffOnStart: false,
    enableMetaHeader: false,
    ...credentials(config),
    ...(config.caFile === undefined ? {} : { tls: { ca: authority(config.caFile) } }),
  });
}
