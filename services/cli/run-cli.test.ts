import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Command } from 'commander';
import { AppError } from '../../shared/errors/app-error.ts';
import { runCommand } from '../../test/support/run-command.ts';
import { runningApi } from '../../test/support/running-api.ts';
import type { CliIo } from './cli-io.ts';
import { balanceCommand } from './commands/balance-command.ts';
import { configCommand } from './commands/config-command.ts';
import { logsCommand } from './commands/logs-command.ts';
import { priceCommand as priceCommandWith } from './commands/price-command.ts';
import { quarantineCommand } from './commands/quarantine-command.ts';

const priceCommand = (io: CliIo) => priceCommandWith(io, randomBytes);

/** A port on which nothing listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const noSchema = () => Promise.reject(new Error('not needed'));

test('every command shows an example in its help', async () => {
  const commands = [
    ...[['balance'], ['price'], ['logs'], ['quarantine', 'list'], ['quarantine', 'replay']],
    ...[['config', 'check'], ['config', 'reference'], ['quarantine'], ['config']],
  ];
  const all = { balance: balanceCommand, price: priceCommand, logs: logsCommand };
  for (const args of commands) {
    const [name = ''] = args;
    const build =
      name === 'quarantine'
        ? quarantineCommand
        : name === 'config'
          ? (io: CliIo) => configCommand(io, noSchema)
          : all[name as keyof typeof all];
    const { out, exitCode } = await runCommand(build, [...args, '--help']);
    assert.equal(exitCode, 0);
    assert.match(out, new RegExp(`Example:\\n {2}tollgate ${name}`), args.join(' '));
  }
});

test('the help of the program tells the exit codes, and its version stands alone', async () => {
  const help = await runCommand(balanceCommand, ['--help']);
  assert.match(help.out, /Exit codes:\n {2}0/);
  const version = await runCommand(balanceCommand, ['--version']);
  assert.deepEqual(version, { exitCode: 0, out: '1.2.3\n', err: '' });
});

test('what is not understood ends with 2 and a hint', async () => {
  const wrong = [
    ['balance', '--jsn'],
    ['balances'],
    ['balance', 'a', 'b'],
    ['balance', '--url', 'ftp://x'],
    ['balance', '--url', 'nonsense'],
  ];
  for (const args of wrong) {
    const { exitCode, err } = await runCommand(balanceCommand, args);
    assert.equal(exitCode, 2, args.join(' '));
    assert.notEqual(err, '');
  }
  for (const args of [['logs'], ['logs', '-p', 'a', '-n', '0'], ['logs', '-p', 'a', '-l', 'x']]) {
    assert.equal((await runCommand(logsCommand, args)).exitCode, 2, args.join(' '));
  }
  const both = ['logs', '-p', 'a', '--follow', '--until', 'now'];
  assert.match((await runCommand(logsCommand, both)).err, /exclude each other/);
});

test('where nothing listens, the message says how to start Tollgate', async () => {
  const url = `http://127.0.0.1:${await closedPort()}`;
  const { exitCode, err, out } = await runCommand(balanceCommand, ['balance', '--url', url]);
  assert.equal(exitCode, 3);
  assert.equal(out, '');
  assert.match(err, new RegExp(`nothing listens at ${url}; start Tollgate with "tollgate start"`));
});

test('a problem ends with 4 and says every wrong part', async () => {
  await using api = await runningApi();
  const url = ['--url', api.url];
  const missing = await runCommand(balanceCommand, ['balance', 'nobody', ...url]);
  assert.equal(missing.exitCode, 4);
  assert.match(missing.err, /NOT_FOUND\): there is no project nobody/);
  const wrong = await runCommand(priceCommand, ['price', '--from', 'yesterday', ...url]);
  assert.match(wrong.err, /^ {2}query\.from: must be ISO 8601/m);
  const inPath = await runCommand(balanceCommand, ['balance', '../status', ...url]);
  assert.equal(inPath.exitCode, 4);
});

test('something else that answers is no Tollgate', async () => {
  const server = createServer((_request, response) => response.end('{"hello":1}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const { exitCode, err } = await runCommand(balanceCommand, ['balance', '--url', url]);
  await new Promise((resolve) => server.close(resolve));
  assert.equal(exitCode, 4);
  assert.match(err, /is not understood: another version of Tollgate\?/);
});

test('an error of the world is told without a stack, a bug with one', async () => {
  const failing = (error: Error) => () =>
    new Command('fail').action(() => {
      throw error;
    });
  const world = await runCommand(failing(new AppError('PORT_TAKEN', 'port 1 is taken')), ['fail']);
  assert.deepEqual(world, { exitCode: 1, out: '', err: 'tollgate: port 1 is taken\n' });
  const bug = await runCommand(failing(new TypeError('x')), ['fail']);
  assert.equal(bug.exitCode, 70);
  assert.match(bug.err, /TypeError: x\n +at /);
});
