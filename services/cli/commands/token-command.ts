import { Command, InvalidArgumentError, Option } from 'commander';
import {
  type StoredToken,
  TOKEN_SCOPES,
  type TokenScope,
  type TokenStore,
} from '../../../shared/stores/token-store.ts';
import type { RandomBytes } from '../../../shared/tokens/api-token.ts';
import { issueToken } from '../../../shared/tokens/issue-token.ts';
import { formatInstant, type Instant, parseInstant } from '../../../shared/values/instant.ts';
import { type ProjectId, parseProjectId } from '../../../shared/values/project-id.ts';
import { CliError, type CliIo, EXIT } from '../cli-io.ts';
import { printJson, withExample, withJson } from '../command-options.ts';
import { table } from '../table.ts';
import { DEFAULT_CONFIG_FILE, readConfigFile } from './config-command.ts';

interface StoreOptions {
  readonly config?: string;
  readonly data?: string;
  readonly json?: true;
}

interface CreateOptions extends StoreOptions {
  readonly scope: readonly TokenScope[];
  readonly project?: readonly ProjectId[];
  readonly expires?: (now: Instant) => Instant;
  readonly label: string;
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const LABEL = /^[^\p{Cc}]{0,100}$/u;

function withStoreOptions(command: Command): Command {
  return withJson(command)
    .option(
      '-c, --config <file>',
      `configuration file of the Tollgate (default: ${DEFAULT_CONFIG_FILE})`,
    )
    .option('--data <folder>', 'data folder, instead of the configuration');
}

async function openStore(io: CliIo, { config, data }: StoreOptions): Promise<TokenStore> {
  const { openTokenStore } = await import('../../../shared/stores/open-stores.ts');
  // A folder that is given is of a Tollgate that may have no file, such as the demo.
  if (data !== undefined && config === undefined) {
    const { storesConfig } = await import('../../../shared/stores/config.ts');
    return openTokenStore({ dataFolder: data, process: '', stores: storesConfig.parse({}) });
  }
  const { tollgateConfig } = await import('../../all-in-one/config.ts');
  const { dataFolder, stores } = readConfigFile(io, tollgateConfig, config ?? DEFAULT_CONFIG_FILE);
  return openTokenStore({ dataFolder: data ?? dataFolder, process: '', stores });
}

function parseScope(text: string, before: readonly TokenScope[] = []): TokenScope[] {
  const scope = TOKEN_SCOPES.find((known) => known === text);
  if (scope !== undefined) return [...new Set([...before, scope])];
  throw new InvalidArgumentError(`It must be one of ${TOKEN_SCOPES.join(', ')}.`);
}

function parseProject(text: string, before: readonly ProjectId[] = []): ProjectId[] {
  const project = parseProjectId(text);
  if (project !== undefined) return [...new Set([...before, project])];
  throw new InvalidArgumentError('It must be the id of a project.');
}

function parseExpires(text: string): (now: Instant) => Instant {
  const [, count, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (Number(count) > 0) return (now) => now + Number(count) * (UNITS[unit] ?? 0);
  const at = parseInstant(text);
  if (at !== undefined) return () => at;
  throw new InvalidArgumentError('It must be such as 12h, 90d or 2027-01-31T00:00:00Z.');
}

function parseLabel(text: string): string {
  if (LABEL.test(text) && text.isWellFormed()) return text;
  throw new InvalidArgumentError('It must be at most 100 printable characters.');
}

async function create(io: CliIo, random: RandomBytes, options: CreateOptions): Promise<void> {
  const { scope: scopes, project: projects, label } = options;
  const createdAt = io.clock.now();
  const expiresAt = options.expires?.(createdAt);
  if (expiresAt !== undefined && expiresAt <= createdAt) {
    throw new CliError(EXIT.usage, '--expires lies in the past; such a token would open nothing');
  }
  await using store = await openStore(io, options);
  const isFirst = await store.isEmpty();
  const wanted = { label, scopes, projects, createdAt, expiresAt };
  const { id, text } = await issueToken({ store, random }, wanted);
  if (options.json) {
    const expires = expiresAt === undefined ? null : formatInstant(expiresAt);
    const rest = { label, scopes, projects: projects ?? null, expiresAt: expires };
    return printJson(io, { id, token: text, ...rest });
  }
  if (isFirst) io.err('The first token: from now on the API and the page ask for one.\n');
  io.err(`Token ${id}; this is the only time that it is shown:\n`);
  io.out(`${text}\n`);
}

function createCommand(io: CliIo, random: RandomBytes): Command {
  const command = new Command('create')
    .description('Make a token, and print it once')
    .addOption(
      new Option('--scope <scope>', `what it allows, again for more: ${TOKEN_SCOPES.join(', ')}`)
        .argParser(parseScope)
        .makeOptionMandatory(),
    )
    .option('--project <id>', 'it sees only this project; again for more', parseProject)
    .option('--expires <when>', 'such as 12h, 90d or an ISO 8601 time; else never', parseExpires)
    .option('--label <text>', 'whose it is, or what for', parseLabel, '')
    .action((options: CreateOptions) => create(io, random, options));
  return withExample(
    withStoreOptions(command),
    'tollgate token create --scope ingest --project etl --expires 90d --label "etl sender"',
  );
}

function stateOf({ revokedAt, expiresAt }: StoredToken, now: Instant): string {
  if (revokedAt !== undefined) return 'revoked';
  return expiresAt !== undefined && expiresAt <= now ? 'expired' : 'usable';
}

const time = (at: Instant | undefined): string | null =>
  at === undefined ? null : formatInstant(at);

async function list(io: CliIo, options: StoreOptions): Promise<void> {
  await using store = await openStore(io, options);
  const now = io.clock.now();
  const tokens = (await store.list()).map((token) => ({
    id: token.id,
    state: stateOf(token, now),
    label: token.label,
    scopes: token.scopes,
    projects: token.projects ?? null,
    createdAt: formatInstant(token.createdAt),
    expiresAt: time(token.expiresAt),
    lastUsedAt: time(token.lastUsedAt),
    revokedAt: time(token.revokedAt),
  }));
  if (options.json) return printJson(io, { tokens });
  if (tokens.length === 0) return io.out('There is no token.\n');
  const columns = ['ID', 'STATE', 'SCOPES', 'PROJECTS', 'CREATED', 'EXPIRES', 'LAST USED', 'LABEL'];
  const rows = tokens.map((one) => [
    ...[one.id, one.state, one.scopes.join(','), one.projects?.join(',') ?? 'all'],
    ...[one.createdAt, one.expiresAt ?? 'never', one.lastUsedAt ?? '', one.label],
  ]);
  const titles = columns.map((title) => ({ title }));
  return io.out(`${table(titles, rows)}\n`);
}

function listCommand(io: CliIo): Command {
  const command = new Command('list')
    .description('All tokens there ever were, without their secrets')
    .action((options: StoreOptions) => list(io, options));
  return withExample(withStoreOptions(command), 'tollgate token list');
}

async function revoke(io: CliIo, id: string, options: StoreOptions): Promise<void> {
  await using store = await openStore(io, options);
  const outcome = await store.revoke(id, io.clock.now());
  if (options.json) printJson(io, { id, outcome });
  if (outcome === 'unknown') {
    const message = `there is no token ${id}; "tollgate token list" names them`;
    throw new CliError(EXIT.found, options.json ? '' : message);
  }
  if (options.json) return;
  const text =
    outcome === 'revoked' ? 'is revoked, within seconds everywhere' : 'was revoked before';
  io.out(`Token ${id} ${text}.\n`);
}

/** The id, also out of the whole token, so that one that leaked can be given as it was found. */
function parseId(text: string): string {
  const id = /^(?:tg_)?([0-9a-f]{16})(?:_[\w-]*)?$/.exec(text)?.[1];
  if (id !== undefined) return id;
  throw new InvalidArgumentError('It must be the id of a token, 16 hexadecimal digits.');
}

function revokeCommand(io: CliIo): Command {
  const command = new Command('revoke')
    .description('Make a token useless, for ever')
    .argument('<id>', 'id of the token', parseId)
    .action((id: string, options: StoreOptions) => revoke(io, id, options));
  return withExample(withStoreOptions(command), 'tollgate token revoke 0f3a9c5b7d1e2468');
}

/** `tollgate token create|list|revoke`: works on the store itself, beside a running Tollgate or not. */
export function tokenCommand(io: CliIo, random: RandomBytes): Command {
  const command = new Command('token').description('API tokens: who may send, read, ask or manage');
  command.addCommand(createCommand(io, random)).addCommand(listCommand(io));
  command.addCommand(revokeCommand(io));
  return withExample(command, 'tollgate token create --scope read --label "wall screen"');
}
