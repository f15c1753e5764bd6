import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { storesConfig } from '../../../shared/stores/config.ts';
import { openTokenStore } from '../../../shared/stores/open-stores.ts';
import { hashSecret, parseApiToken } from '../../../shared/tokens/api-token.ts';
import { DAY_MS } from '../../../shared/values/instant.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { type CommandResult, runCommand } from '../../../test/support/run-command.ts';
import { runningApi } from '../../../test/support/running-api.ts';
import { temporaryFolder } from '../../../test/support/running-tollgate.ts';
import type { CliIo } from '../cli-io.ts';
import { balanceCommand } from './balance-command.ts';
import { tokenCommand } from './token-command.ts';

const command = (io: CliIo) => tokenCommand(io, randomBytes);
const clock = new FakeClock();

async function tokenBench() {
  const folder = await temporaryFolder();
  const path = join(folder.path, 'data');
  const run = (...args: readonly string[]): Promise<CommandResult> =>
    runCommand(command, ['token', ...args, '--data', path], { clock });
  return { ...folder, path, run };
}

test('a new token is printed once, alone on stdout, and kept as its hash', async () => {
  await using bench = await tokenBench();
  const { exitCode, out, err } = await bench.run('create', '--scope', 'read', '--label', 'wall');
  assert.equal(exitCode, 0, err);
  const token = parseApiToken(out.trimEnd()) ?? assert.fail(out);
  assert.match(err, /only time/);
  assert.match(err, /first token: .* ask for one/);
  await using store = await openTokenStore({
    dataFolder: bench.path,
    process: '',
    stores: storesConfig.parse({}),
  });
  const [stored] = await store.list();
  assert.deepEqual(stored, {
    ...{ id: token.id, secretHash: hashSecret(token.secret), label: 'wall', scopes: ['read'] },
    ...{ projects: undefined, createdAt: clock.now(), expiresAt: undefined },
    ...{ lastUsedAt: undefined, revokedAt: undefined },
  });
  const again = await bench.run('create', '--scope', 'read');
  assert.doesNotMatch(again.err, /first token/);
  const list = await bench.run('list');
  assert.ok(!list.out.includes(token.secret) && list.out.includes(token.id), list.out);
});

test('scopes and projects add up, and a time to end is relative or a date', async () => {
  await using bench = await tokenBench();
  const many = ['--scope', 'ingest', '--scope', 'read', '--project', 'ETL', '--project', 'ml'];
  const first = await bench.run('create', ...many, '--expires', '90d', '--json');
  const told = JSON.parse(first.out);
  assert.deepEqual(told.scopes, ['ingest', 'read']);
  assert.deepEqual(told.projects, ['etl', 'ml']);
  assert.equal(told.expiresAt, new Date(clock.now() + 90 * DAY_MS).toISOString());
  assert.ok(parseApiToken(told.token) !== undefined);
  const dated = await bench.run('create', '--scope', 'admin', '--expires', '2030-01-01T00:00:00Z');
  assert.equal(dated.exitCode, 0, dated.err);
  const { tokens } = JSON.parse((await bench.run('list', '--json')).out);
  const ends = tokens.map(({ expiresAt }: { expiresAt: string }) => expiresAt).sort();
  assert.deepEqual(ends, [told.expiresAt, '2030-01-01T00:00:00.000Z']);
});

test('what is not understood makes no token, and says what would', async () => {
  await using bench = await tokenBench();
  const wrong = [
    [[], /--scope/],
    [['--scope', 'root'], /ingest, read, quota-check, admin/],
    [['--scope', 'read', '--project', '../x'], /id of a project/],
    [['--scope', 'read', '--expires', 'soon'], /12h, 90d/],
    [['--scope', 'read', '--expires', '0d'], /12h, 90d/],
    [['--scope', 'read', '--expires', '2020-01-01T00:00:00Z'], /in the past/],
    [['--scope', 'read', '--label', 'a\nb'], /printable/],
  ] as const;
  for (const [args, message] of wrong) {
    const { exitCode, out, err } = await bench.run('create', ...args);
    assert.equal(exitCode, 2, args.join(' '));
    assert.match(err, message);
    assert.equal(out, '');
  }
  assert.equal((await bench.run('list')).out, 'There is no token.\n');
});

test('a token is revoked by its id, or as it was found whole', async () => {
  await using bench = await tokenBench();
  const token = (await bench.run('create', '--scope', 'read')).out.trim();
  const { id } = parseApiToken(token) ?? assert.fail();
  assert.match((await bench.run('revoke', token)).out, new RegExp(`^Token ${id} is revoked`));
  assert.match((await bench.run('revoke', id)).out, /was revoked before/);
  assert.match((await bench.run('list')).out, /revoked/);
  const unknown = await bench.run('revoke', '0123456789abcdef');
  assert.equal(unknown.exitCode, 1);
  assert.match(unknown.err, /token list/);
  const json = await bench.run('revoke', '0123456789abcdef', '--json');
  assert.deepEqual([json.exitCode, JSON.parse(json.out).outcome], [1, 'unknown']);
});

test('the store is the one of the configuration', async () => {
  await using bench = await tokenBench();
  const readFile = () => `dataFolder: ${bench.path}\n`;
  const made = await runCommand(command, ['token', 'create', '--scope', 'read', '-c', 'x.yaml'], {
    ...{ clock, readFile },
  });
  assert.equal(made.exitCode, 0, made.err);
  assert.match((await bench.run('list')).out, /usable/);
});

test('a command brings its token from the environment or a file', async () => {
  await using api = await runningApi({ requireToken: true });
  const token = await api.token(['read']);
  const ask = (args: readonly string[], world: Partial<CliIo>) =>
    runCommand(balanceCommand, ['balance', '--url', api.url, ...args], world);
  const without = await ask([], {});
  assert.equal(without.exitCode, 4);
  assert.match(without.err, /TOLLGATE_TOKEN.*--token-file/);
  const fromVariable = await ask([], { env: { TOLLGATE_TOKEN: `${token}\n` } });
  assert.equal(fromVariable.exitCode, 0, fromVariable.err);
  const env = { TOLLGATE_TOKEN: 'tg_of_another' };
  const fromFile = await ask(['--token-file', 't'], { env, readFile: () => `${token}\n` });
  assert.equal(fromFile.exitCode, 0, fromFile.err);
  const gone = await ask(['--token-file', 'gone'], {});
  assert.deepEqual([gone.exitCode, /gone cannot be read/.test(gone.err)], [2, true]);
  const odd = await ask([], { env: { TOLLGATE_TOKEN: 'a b' } });
  assert.deepEqual([odd.exitCode, odd.err.includes('a b')], [2, false]);
});
