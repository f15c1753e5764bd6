import { Command, InvalidArgumentError } from 'commander';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { StoreOutcome } from '../../../shared/stores/open-stores.ts';
import { type ProjectId, parseProjectId } from '../../../shared/values/project-id.ts';
import type { TollgateConfig } from '../../all-in-one/config.ts';
import type { CliIo } from '../cli-io.ts';
import { CliError, EXIT } from '../cli-io.ts';
import { printJson, withExample, withJson } from '../command-options.ts';
import { table } from '../table.ts';
import { DEFAULT_CONFIG_FILE, readConfigFile } from './config-command.ts';

interface Options {
  readonly config: string;
  readonly json?: true;
}

interface Outcome {
  readonly store: string;
  readonly ok: boolean;
  readonly says: string;
}

/** The topics that collectors read; they are no stores, and as well set up wrongly. */
async function checkTopics(config: TollgateConfig): Promise<StoreOutcome[]> {
  const { checkKafka } = await import('../../collectors/inputs/kafka-input.ts');
  const { logs, metrics, progress, containers } = config;
  const sources = Object.entries({ logs, metrics, progress, containers });
  const outcomes = sources.flatMap(([name, { kafka }]) =>
    kafka === undefined
      ? []
      : [
          checkKafka(kafka).then(
            () => ({ store: `${name}.kafka`, error: undefined }),
            (error: unknown) => {
              if (!(error instanceof AppError)) throw error;
              return { store: `${name}.kafka`, error };
            },
          ),
        ],
  );
  return await Promise.all(outcomes);
}

async function run(io: CliIo, action: 'init' | 'check', options: Options): Promise<void> {
  const { tollgateConfig } = await import('../../all-in-one/config.ts');
  const { checkStores, initStores } = await import('../../../shared/stores/open-stores.ts');
  const config = readConfigFile(io, tollgateConfig, options.config);
  const results =
    action === 'init'
      ? await initStores(config, io)
      : [...(await checkStores(config)), ...(await checkTopics(config))];
  const outcomes: Outcome[] = results.map(({ store, error }) => ({
    store,
    ok: error === undefined,
    says: error === undefined ? 'ready' : error.message,
  }));
  if (options.json) printJson(io, { stores: outcomes });
  else {
    const columns = ['STORE', 'STATE', ''].map((title) => ({ title }));
    const rows = outcomes.map(({ store, ok, says }) => [
      store,
      ok ? 'ready' : 'not usable',
      ok ? '' : says,
    ]);
    io.out(`${table(columns, rows)}\n`);
  }
  if (outcomes.some(({ ok }) => !ok)) throw new CliError(EXIT.found, '');
}

function storesSubcommand(io: CliIo, name: 'init' | 'check', does: string): Command {
  const command = new Command(name)
    .description(does)
    .option('-c, --config <file>', 'configuration file', DEFAULT_CONFIG_FILE)
    .action((options: Options) => run(io, name, options));
  return withExample(withJson(command), `tollgate stores ${name} -c /etc/tollgate.yaml`);
}

interface ForgetOptions extends Options {
  readonly yes?: true;
}

function parseProject(text: string): ProjectId {
  const project = parseProjectId(text);
  if (project !== undefined) return project;
  throw new InvalidArgumentError('It must be the id of a project.');
}

async function forget(io: CliIo, project: ProjectId, options: ForgetOptions): Promise<void> {
  if (options.yes !== true) {
    throw new CliError(
      EXIT.usage,
      `This deletes every log line of ${project} for ever. Stop its sources, then add --yes.`,
    );
  }
  const { tollgateConfig } = await import('../../all-in-one/config.ts');
  const { forgetLogs } = await import('../../../shared/stores/open-stores.ts');
  const config = readConfigFile(io, tollgateConfig, options.config);
  const isTerminal = io.columns !== undefined;
  const forgotten = await forgetLogs(config, project, {
    clock: io.clock,
    random: Math.random,
    signal: io.signal,
    onProgress: ({ records }) => {
      if (isTerminal) io.err(`\r${records} records forgotten`);
    },
  });
  if (isTerminal) io.err('\r\u001b[K');
  if (options.json) return printJson(io, { project, ...forgotten });
  const { records, indicesDropped } = forgotten;
  io.out(
    `${project}: ${records} records forgotten, ${indicesDropped} indices of its own dropped\n`,
  );
}

function forgetCommand(io: CliIo): Command {
  const command = new Command('forget-logs')
    .description('Delete all logs of a project from Elasticsearch; its charges and metrics stay')
    .argument('<project>', 'id of the project', parseProject)
    .option('-c, --config <file>', 'configuration file', DEFAULT_CONFIG_FILE)
    .option('--yes', 'really; without it nothing is done')
    .action((project: ProjectId, options: ForgetOptions) => forget(io, project, options));
  return withExample(withJson(command), 'tollgate stores forget-logs etl --yes');
}

async function printRole(io: CliIo, project: ProjectId, options: Options): Promise<void> {
  const { tollgateConfig } = await import('../../all-in-one/config.ts');
  const { logReaderRole } = await import('../../../shared/stores/open-stores.ts');
  const config = readConfigFile(io, tollgateConfig, options.config);
  printJson(io, await logReaderRole(config, project));
}

function roleCommand(io: CliIo): Command {
  const command = new Command('reader-role')
    .description("Print the Elasticsearch role that reads a direct project's logs, and no others")
    .argument('<project>', 'id of the project', parseProject)
    .option('-c, --config <file>', 'configuration file', DEFAULT_CONFIG_FILE)
    .action((project: ProjectId, options: Options) => printRole(io, project, options));
  return withExample(
    command,
    "tollgate stores reader-role etl | curl -X PUT -H 'Content-Type: application/json' \\",
    '  --data @- https://elasticsearch:9200/_security/role/tollgate-etl',
  );
}

/** `tollgate stores …`: makes what the stores need, looks whether they work, and what they hold. */
export function storesCommand(io: CliIo): Command {
  const command = new Command('stores').description('Set up the stores, or look whether they work');
  command
    .addCommand(storesSubcommand(io, 'init', 'Make tables, indices, policies; harmless to repeat'))
    .addCommand(
      storesSubcommand(io, 'check', 'Say of each store, and of Kafka, whether it can be used'),
    )
    .addCommand(forgetCommand(io))
    .addCommand(roleCommand(io));
  return withExample(command, 'tollgate stores check');
}
