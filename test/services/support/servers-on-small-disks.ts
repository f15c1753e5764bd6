import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { giveToNobody } from '../servers/server-process.ts';
import { SmallDisk } from '../servers/small-disk.ts';
import { type DistributedServers, startDistributedServers } from './distributed-stores.ts';

const MIB = 1_048_576;
/** Below this much room Elasticsearch takes nothing more; above twice as much it does again. */
const FLOOD_MIB = 48;

export interface ServersOnSmallDisks extends DistributedServers {
  /** No byte is left for InfluxDB and PostgreSQL, and less than its flood stage for Elasticsearch. */
  fillDisks(): Promise<void>;
  freeDisks(): Promise<void>;
}

/** New tables lie on the small disk; the write-ahead log doesn't, without which it can't live. */
async function moveTables(url: string, folder: string): Promise<void> {
  await mkdir(folder);
  giveToNobody(folder);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`CREATE TABLESPACE small LOCATION '${folder}'`);
    await client.query('ALTER DATABASE postgres SET default_tablespace = small');
  } finally {
    await client.end();
  }
}

/** Elasticsearch, InfluxDB and PostgreSQL of their own, whose data lie on disks that can be filled. */
export async function startServersOnSmallDisks(): Promise<ServersOnSmallDisks> {
  await using resources = new AsyncDisposableStack();
  const disk = resources.use(await SmallDisk.mount(128));
  const elasticDisk = resources.use(await SmallDisk.mount(256));
  const watermark = 'cluster.routing.allocation.disk.watermark';
  const servers = resources.use(
    await startDistributedServers({
      influxdb: { dataFolder: disk.path },
      elasticsearch: {
        settings: {
          'path.data': elasticDisk.path,
          'cluster.routing.allocation.disk.threshold_enabled': 'true',
          [`${watermark}.flood_stage`]: `${FLOOD_MIB}mb`,
          [`${watermark}.high`]: `${FLOOD_MIB * 2}mb`,
          [`${watermark}.low`]: `${FLOOD_MIB * 2}mb`,
          // The least that it allows.
          'cluster.info.update.interval': '10s',
        },
      },
    }),
  );
  if (servers.postgresql.process === undefined) {
    throw new Error('this test moves tables to a small disk: unset TOLLGATE_TEST_POSTGRESQL_URL');
  }
  await moveTables(servers.postgresql.url, join(disk.path, 'tables'));
  const open = resources.move();
  return {
    ...servers,
    async fillDisks() {
      await Promise.all([disk.fill(), elasticDisk.fill((FLOOD_MIB / 2) * MIB)]);
    },
    async freeDisks() {
      await Promise.all([disk.free(), elasticDisk.free()]);
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
