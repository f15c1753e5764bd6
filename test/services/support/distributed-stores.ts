import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { runTollgate } from '../../support/run-tollgate.ts';
import { temporaryFolder } from '../../support/running-tollgate.ts';
import { type ElasticsearchServer, startElasticsearch } from '../servers/elasticsearch.ts';
import { type RunningInfluxdb, startInfluxdb } from '../servers/influxdb.ts';
import {
  type PostgresqlOptions,
  type PostgresqlServer,
  startPostgresql,
} from '../servers/postgresql.ts';

/** Elasticsearch, InfluxDB and PostgreSQL, set up by `tollgate stores init`. */
export interface DistributedStores extends AsyncDisposable {
  readonly postgresql: PostgresqlServer;
  readonly elasticsearch: ElasticsearchServer;
  readonly influxdb: RunningInfluxdb;
  /** As `tollgate.yaml` says it. */
  readonly stores: { readonly ledger: { readonly url: string; readonly schema: string } };
}

/** Real servers; their names in them are of this run alone, so that it may share running ones. */
export async function startDistributedStores(
  options: { readonly postgresql?: PostgresqlOptions } = {},
): Promise<DistributedStores> {
  await using resources = new AsyncDisposableStack();
  const postgresql = resources.use(await startPostgresql(options.postgresql));
  const influxdb = resources.use(await startInfluxdb());
  const elasticsearch = resources.use(await startElasticsearch());
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
  const open = resources.move();
  return {
    ...{ postgresql, influxdb, elasticsearch, stores },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
