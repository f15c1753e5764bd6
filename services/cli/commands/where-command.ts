import { Command } from 'commander';
import type { z } from 'zod';
import {
  restApplicationSpending,
  restClusterSpending,
  restProjectSpending,
  type restSpendingParts,
  restStreamCosts,
} from '../../../shared/contracts/rest-spending.ts';
import { CliError, type CliIo, EXIT } from '../cli-io.ts';
import {
  client,
  integer,
  printJson,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';
import { table } from '../table.ts';
import { shortCredits } from './balance-command.ts';

type Parts = z.infer<typeof restSpendingParts>;

interface Spent {
  readonly charged: string;
  readonly parts: Parts;
}

interface WhereOptions extends SharedOptions {
  readonly from?: string;
  readonly until?: string;
  readonly cluster?: string;
  readonly limit: number;
  readonly streams?: true;
}

const TITLES = {
  useful: 'USEFUL',
  wasted: 'WASTED',
  idle: 'IDLE',
  tail: 'TAIL',
  startUp: 'START-UP',
  driver: 'DRIVER',
  applicationMaster: 'MASTER',
  untold: 'UNTOLD',
} as const satisfies Record<keyof Parts, string>;
const NAMES = Object.keys(TITLES) as (keyof Parts)[];

function columns(first: string) {
  return [
    { title: first },
    ...['CHARGED', ...Object.values(TITLES)].map((title) => ({ title, align: 'right' as const })),
  ];
}

function row(name: string, { charged, parts }: Spent): string[] {
  return [name, shortCredits(charged), ...NAMES.map((part) => shortCredits(parts[part]))];
}

async function oneApplication(
  io: CliIo,
  options: WhereOptions,
  [project, cluster, application]: readonly [string, string, string],
): Promise<void> {
  const [p, c, a] = [project, cluster, application].map(encodeURIComponent);
  const path = `/v1/projects/${p}/applications/${c}/${a}/where`;
  const spent = await client(io, options).get(path, restApplicationSpending);
  if (options.json) return printJson(io, spent);
  io.out(`${table(columns('APPLICATION'), [row(application, spent)])}\n`);
  if (spent.accrued !== '0')
    io.out(`${shortCredits(spent.accrued)} more are used, not charged yet\n`);
}

async function streams(
  io: CliIo,
  options: WhereOptions,
  [project, cluster, application]: readonly [string, string, string],
): Promise<void> {
  const [p, c, a] = [project, cluster, application].map(encodeURIComponent);
  const path = `/v1/projects/${p}/applications/${c}/${a}/stream-costs`;
  const { from, until } = options;
  const costs = await client(io, options).get(path, restStreamCosts, { from, until });
  if (options.json) return printJson(io, costs);
  const numbers = ['BATCHES', 'ROWS', 'WORKED', 'IDLE', 'PER MILLION ROWS', 'PER BATCH'];
  const titles = [
    { title: 'QUERY' },
    ...numbers.map((title) => ({ title, align: 'right' as const })),
  ];
  const rows = costs.queries.map((one) => [
    one.name === '' ? one.id : one.name,
    ...[one.batches, one.rows].map(String),
    ...[one.worked, one.idle, one.perMillionRows ?? '', one.perBatch ?? ''].map(shortCredits),
  ]);
  const idle = `Of ${shortCredits(costs.charged)} charged, ${shortCredits(costs.idle)} went by without a batch.`;
  io.out(`${table(titles, rows)}\n${idle}\n`);
}

async function oneProject(io: CliIo, options: WhereOptions, project: string): Promise<void> {
  const { from, until, cluster, limit } = options;
  const path = `/v1/projects/${encodeURIComponent(project)}/where`;
  const query = { from, until, cluster, limit };
  const spent = await client(io, options).get(path, restProjectSpending, query);
  if (options.json) return printJson(io, spent);
  const rows = spent.applications.map((one) => row(one.application, one));
  const { others } = spent;
  if (others.applications > 0) rows.push(row(`${others.applications} others`, others));
  rows.push(row('ALL', spent));
  return io.out(`${table(columns('APPLICATION'), rows)}\n`);
}

async function oneCluster(io: CliIo, options: WhereOptions, cluster: string): Promise<void> {
  const { from, until } = options;
  const path = `/v1/clusters/${encodeURIComponent(cluster)}/where`;
  const spent = await client(io, options).get(path, restClusterSpending, { from, until });
  if (options.json) return printJson(io, spent);
  const rows = spent.projects.map((one) => row(one.project, one));
  io.out(`${table(columns('PROJECT'), [...rows, row('ALL', spent)])}\n`);
  const idle =
    spent.idle === null
      ? 'What the cluster kept idle is not known: nobody watches its nodes.'
      : `Idle nodes: ${shortCredits(spent.idle)} at the base price; in all ${shortCredits(spent.total)}.`;
  const { unallocated } = spent;
  const nobodys =
    unallocated === '0'
      ? ''
      : `Unallocated: ${shortCredits(unallocated)} of it no project could be charged for.\n`;
  return io.out(`${nobodys}${idle}\n`);
}

/** `tollgate where`: useful work, waste, idle and the rest, adding up to the charges. */
export function whereCommand(io: CliIo): Command {
  const command = new Command('where')
    .description('Where credits went: useful and wasted work, idle, tail, start-up, driver')
    .argument('[project]', 'this project; without it a --cluster is needed')
    .argument('[application]', 'only this application, of --cluster, over its whole life')
    .option('--cluster <id>', 'only this cluster')
    .option(
      '--from <time>',
      'first hour: ISO 8601, or such as -7d; default a month, a day for a cluster',
    )
    .option('--until <time>', 'end, exclusive; default now')
    .option('--streams', 'of an application: its streaming queries per million rows and batch')
    .option('--limit <n>', 'applications that are listed, dearest first', integer(1, 500), 20)
    .action(
      async (
        project: string | undefined,
        application: string | undefined,
        options: WhereOptions,
      ) => {
        const { cluster } = options;
        if (options.streams && application === undefined) {
          throw new CliError(EXIT.usage, '--streams needs an application');
        }
        if (project === undefined) {
          if (cluster !== undefined) return oneCluster(io, options, cluster);
          throw new CliError(EXIT.usage, 'name a project, or a --cluster');
        }
        if (application === undefined) return oneProject(io, options, project);
        if (cluster === undefined) {
          throw new CliError(EXIT.usage, `name the --cluster of ${application}`);
        }
        const show = options.streams ? streams : oneApplication;
        return show(io, options, [project, cluster, application]);
      },
    );
  return withExample(
    withShared(command),
    'tollgate where etl --from -7d',
    'tollgate where etl application_1795247888953_0002 --cluster yarn-1',
    'tollgate where etl app-20261121071948-0000 --cluster spark-1 --streams --from -7d',
    'tollgate where --cluster yarn-1',
  );
}
