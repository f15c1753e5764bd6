import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand } from '../../../test/support/run-command.ts';
import { tollgateConfig } from '../../all-in-one/config.ts';
import type { CliIo } from '../cli-io.ts';
import { configCommand } from './config-command.ts';

const command = (io: CliIo) => configCommand(io, async () => tollgateConfig);

function check(text: string, args: readonly string[] = [], env: CliIo['env'] = {}) {
  const readFile = (path: string): string => {
    assert.equal(path, 'my.yaml');
    return text;
  };
  return runCommand(command, ['config', 'check', 'my.yaml', ...args], { readFile, env });
}

test('a file that is fine is said to be', async () => {
  const { exitCode, out } = await check('api:\n  port: 9000\n');
  assert.deepEqual([exitCode, out], [0, 'my.yaml is fine\n']);
});

test('all problems are told at once, each where it stands', async () => {
  const { exitCode, err } = await check('api:\n  prot: 1\n  host: 7\nlogLevel: loud\n');
  assert.equal(exitCode, 1);
  const lines = err.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /my\.yaml has 3 problems/);
  assert.match(lines[1] ?? '', /^my\.yaml:2:3 api\.prot: .*did you mean "port"\?$/);
  assert.match(lines[2] ?? '', /^my\.yaml:3:9 api\.host: /);
  assert.match(lines[3] ?? '', /^my\.yaml:4:11 logLevel: /);
});

test('a listener that other machines reach in plain text is told, with its line', async () => {
  const text = [
    'api:\n  host: 0.0.0.0\n',
    'logs:\n  tcp:\n    - host: 10.0.0.1\n',
    'metrics:\n  graphite:\n    - port: 2003\n      host: "::"\n',
  ].join('');
  const { exitCode, err } = await check(text);
  assert.equal(exitCode, 1);
  const places = [...err.matchAll(/^my\.yaml:(\d+):\d+ (\S+): .*insecure: true/gm)];
  assert.deepEqual(
    places.map(([, line, path]) => [line, path]),
    [
      ['2', 'api.host'],
      ['5', 'logs.tcp[0].host'],
      ['9', 'metrics.graphite[0].host'],
    ],
  );
});

test('problems come as JSON too, with the same exit code', async () => {
  const { exitCode, out, err } = await check('api:\n  prot: 1\n', ['--json']);
  assert.equal(exitCode, 1);
  assert.equal(err, '');
  const { file, problems } = JSON.parse(out);
  assert.equal(file, 'my.yaml');
  assert.deepEqual([problems[0].line, problems[0].column, problems[0].path], [2, 3, 'api.prot']);
});

test('the value of a secret is never told', async () => {
  const text = `api:\n  port: $\{SECRET}\n  host: $\{SECRET}\n`;
  const { err, out } = await check(text, [], { SECRET: 'hunter2-value' });
  assert.doesNotMatch(err + out, /hunter2/);
});

test('a file that is not there is named, with how to get one', async () => {
  const { exitCode, err } = await runCommand(command, ['config', 'check', 'gone.yaml']);
  assert.equal(exitCode, 2);
  assert.match(err, /gone\.yaml cannot be read; "tollgate config reference > gone\.yaml"/);
});

test('the reference is a valid file, and every option has its sentence', async () => {
  const { out } = await runCommand(command, ['config', 'reference']);
  const { exitCode, err } = await check(out);
  assert.equal(exitCode, 0, err);
  const json = await runCommand(command, ['config', 'reference', '--json']);
  const { options } = JSON.parse(json.out) as { options: { path: string; description: string }[] };
  assert.ok(options.length > 30);
  const silent = options.filter(({ description }) => description === '').map(({ path }) => path);
  assert.deepEqual(silent, []);
});
