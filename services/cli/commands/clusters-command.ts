import { Command } from 'commander';
import type { z } from 'zod';
import { restClusters } from '../../../shared/contracts/rest.ts';
import { restClockSkew, restClusterIdle } from '../../../shared/contracts/rest-witnesses.ts';
import type { CliIo } from '../cli-io.ts';
import {
  client,
  printJson,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';
import type { RestClient } from '../rest-client.ts';
import { table } from '../table.ts';

type Idle = z.infer<typeof restClusterIdle>;
type Part = Idle['total'];

interface ClustersOptions extends SharedOptions {
  readonly from: string;
  readonly until: string;
}

const right = (title: string) => ({ title, align: 'right' as const });
const HOUR_MS = 3_600_000;

/** Core hours, rounded for a table; `--json` has the exact resource-milliseconds. */
function coreHours(millicoreMs: string): string {
  return (Number(millicoreMs) / 1_000 / HOUR_MS).toFixed(1);
}

/** Share of the nodes' cores that nobody held; '' without nodes. */
function idleShare({ nodes, idle }: Part): string {
  const had = Number(nodes.millicoreMs);
  return had > 0 ? `${((100 * Number(idle.millicoreMs)) / had).toFixed(1)} %` : '';
}

function cells(part: Part): string[] {
  const hours = [part.nodes, part.containers, part.unallocated, part.idle].map(
    ({ millicoreMs }) => millicoreMs,
  );
  return [...hours.map(coreHours), idleShare(part)];
}

const COLUMNS = ['NODES core h', 'CONTAINERS', 'UNALLOCATED', 'IDLE', 'SHARE'].map(right);

async function printAll(rest: RestClient, options: ClustersOptions, io: CliIo): Promise<void> {
  const { from, until } = options;
  const { clusters } = await rest.get('/v1/clusters', restClusters);
  const idles: Idle[] = [];
  for (const { id } of clusters) {
    const path = `/v1/clusters/${encodeURIComponent(id)}/idle`;
    idles.push(await rest.get(path, restClusterIdle, { from, until }));
  }
  if (options.json) return printJson(io, { clusters, idle: idles });
  const rows = clusters.map(({ id, type, pool, nodes, load }, index) => {
    const total = idles[index]?.total;
    const cores = load === null ? '' : `${load.allocated.cores} of ${load.capacity.cores}`;
    return [id, type, pool, String(nodes), cores, ...(total === undefined ? [] : cells(total))];
  });
  const titles = ['CLUSTER', 'TYPE', 'POOL'].map((title) => ({ title }));
  const columns = [...titles, right('NODES'), right('CORES NOW'), ...COLUMNS];
  return io.out(`${table(columns, rows)}\n`);
}

async function printOne(
  rest: RestClient,
  cluster: string,
  options: ClustersOptions,
  io: CliIo,
): Promise<void> {
  const { from, until } = options;
  const path = `/v1/clusters/${encodeURIComponent(cluster)}`;
  const idle = await rest.get(`${path}/idle`, restClusterIdle, { from, until });
  const skew = await rest.get(`${path}/clock-skew`, restClockSkew);
  if (options.json) return printJson(io, { idle, skews: skew.skews });
  const rows = idle.hours.map((hour) => [
    `${hour.hour.slice(0, 10)} ${hour.hour.slice(11, 16)}`,
    ...cells(hour),
    hour.provisional ? 'provisional' : '',
  ]);
  rows.push(['total', ...cells(idle.total), '']);
  io.out(`${table([{ title: 'HOUR (UTC)' }, ...COLUMNS, { title: '' }], rows)}\n`);
  const clocks = skew.skews.map((one) => [
    one.witness,
    one.reference,
    one.host ?? '',
    one.offsetMs === null ? 'too few' : `${one.offsetMs} ms`,
    String(one.differences),
  ]);
  if (clocks.length === 0) return;
  const columns = ['WITNESS', 'AGAINST', 'HOST'].map((title) => ({ title }));
  io.out(`\n${table([...columns, right('CLOCK AHEAD'), right('OF')], clocks)}\n`);
}

/** `tollgate clusters [CLUSTER]`: what nobody uses, and whose clock is wrong. */
export function clustersCommand(io: CliIo): Command {
  const command = new Command('clusters')
    .description('Clusters with their load and what of them is idle')
    .argument('[cluster]', 'this one by the hour, with the clocks of its witnesses')
    .option('--from <time>', 'begin: -24h, or ISO 8601 with a zone', '-24h')
    .option('--until <time>', 'end: now, or ISO 8601 with a zone', 'now')
    .action(async (cluster: string | undefined, options: ClustersOptions) => {
      const rest = client(io, options);
      return cluster === undefined
        ? printAll(rest, options, io)
        : printOne(rest, cluster, options, io);
    });
  return withExample(
    withShared(command),
    'tollgate clusters',
    'tollgate clusters yarn-1 --from -7d',
  );
}
