import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { runTollgate } from '../../support/run-tollgate.ts';
import { temporaryFolder } from '../../support/running-tollgate.ts';
import {
  type ElasticsearchOptions,
  type ElasticsearchServer,
  startElasticsearch,
} from '../servers/elasticsearch.ts';
import { type InfluxdbOptions, type RunningInfluxdb, startInfluxdb } from '../servers/influxdb.ts';
import {
  type PostgresqlOptions,
  type PostgresqlServer,
  startPostgresql,
} from '../servers/postgresql.ts';

/** How stores are configured, as far as tests look into them from aside. */
export interface StoreNames {
  readonly ledger: { readonly url: string; readonly schema: string };
  readonly logs: { readonly url: string; readonly indexPrefix: string; readonly replicas: number };
  readonly metrics: { readonly url: string; readonly database: string };
}

export interface DistributedServers extends AsyncDisposable {
  readonly postgresql: PostgresqlServer;
  readonly elasticsearch: ElasticsearchServer;
  readonly influxdb: RunningInfluxdb;
}

/** Elasticsearch, InfluxDB and PostgreSQL, set up by `tollgate stores init`. */
export interface DistributedStores extends DistributedServers {
  /** As `tollgate.yaml` says it. */
  readonly stores: StoreNames;
}

export interface DistributedOptions {
  readonly elasticsearch?: ElasticsearchOptions;
  readonly influxdb?: InfluxdbOptions;
  readonly postgresql?: PostgresqlOptions;
}

export async function startDistributedServers(
  options: DistributedOptions = {},
): Promise<DistributedServers> {
  await using resources = new AsyncDisposableStack();
  const postgresql = resources.use(await startPostgresql(options.postgresql));
  const influxdb = resources.use(await startInfluxdb(options.influxdb));
  const elasticsearch = resources.use(await startElasticsearch(options.elasticsearch));
  const open = resources.move();
  return {
    ...{ postgresql, influxdb, elasticsearch },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Names in the servers that nobody has used, so that several tests may share them. */
export async function initStores(servers: DistributedServers): Promise<StoreNames> {
  const { postgresql, elasticsearch, influxdb } = servers;
  const name = `t${randomBytes(6).toString('hex')}`;
  const stores = {
    ledger: { url: postgresql.url, schema: name },
    logs: { url: elasticsearch.url, indexPrefix: `${name}-logs`, replicas: 0 },
    metrics: { url: influxdb.url, database: name, bucket: name, ...influxdb.login },
  };
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'tollgate.yaml');
  await writeFile(file, stringify({ stores }));
  for (const action of ['init', 'check']) {
    const { exitCode, out, err } = await runTollgate(['stores', action, '-c', file]);
    if (exitCode !== 0) throw new Error(`tollgate stores ${action}: ${out}${err}`);
  }
  return stores;
}

/** Real servers; their names in them are of this run alone, so that it may share running ones. */
export async function startDistributedStores(
  options: DistributedOptions = {},
): Promise<DistributedStores> {
  await using servers = new AsyncDisposableStack();
  const started = servers.use(await startDistributedServers(options));
  const stores = await initStores(started);
  const open = servers.move();
  return { ...started, stores, [Symbol.asyncDispose]: () => open.disposeAsync() };
}
