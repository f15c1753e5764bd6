import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { restReplayResult } from '../../../shared/contracts/rest-replay.ts';
import { replayingApi } from '../../../test/support/replaying-api.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import type { CliIo } from '../cli-io.ts';
import { replayCommand } from './replay-command.ts';

const FILES: Readonly<Record<string, string>> = {
  'memory.yaml': 'rateCard:\n  coreSecond: "0.0001"\n  gibSecond: "0.0004"\n',
  'spot.yaml':
    'rateCards:\n  - { id: spot, market: spot, coreSecond: "0.0003", minimum: "5" }\n' +
    'markets:\n  - { cluster: yarn-1, market: spot, onDemandNodes: 1, nodes: 4 }\n',
  'budget.yaml': 'budgets:\n  - { project: etl, credits: "16" }\n',
  'bad.yaml':
    'rateCard:\n  coreSecond: "-1"\n  gibSeconds: "0.1"\nprice:\n  knee: 2\n  cap: 1.03\n',
};

function terminal(isTTY: boolean): { text: string; stream: Writable & { isTTY: boolean } } {
  const drawn = { text: '', stream: undefined as unknown as Writable & { isTTY: boolean } };
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      drawn.text += chunk.toString();
      done();
    },
  });
  drawn.stream = Object.assign(stream, { isTTY, columns: 80, cursorTo() {}, clearLine() {} });
  return drawn;
}

async function run(args: readonly string[], isTTY = false) {
  await using api = await replayingApi();
  const screen = terminal(isTTY);
  const readFile = (path: string): string => {
    const text = FILES[path];
    if (text === undefined) throw new Error('no such file');
    return text;
  };
  const command = (io: CliIo) => replayCommand(io, screen.stream);
  const all = ['replay', ...args, '--from', '-5h', '--to', 'now', '--url', api.url];
  return { ...(await runCommand(command, all, { readFile, clock: api.clock })), screen };
}

test('winners and losers stand in a table, who pays more first', async () => {
  const { out, err, exitCode } = await run(['--tariff', 'memory.yaml']);
  assert.equal(exitCode, 0, err);
  assert.match(
    out,
    /^2026-11-21 04:00 to 2026-11-21 09:00 UTC, 10 containers, with other rateCard$/m,
  );
  assert.match(out, /^PROJECT +CHARGED +REPLAYED +DIFFERENCE +% +EXHAUSTED/m);
  const rows = out.split('\n').filter((line) => /^(etl|ml|TOTAL) /.test(line));
  assert.deepEqual(
    rows.map((row) => row.split(/ {2,}/)),
    [
      ['ml', '7.2', '28.8', '+21.6', '+300.00 %'],
      ['etl', '39.6', '32.4', '-7.2', '-18.18 %'],
      ['TOTAL', '46.8', '61.2', '+14.4', '+30.77 %'],
    ],
  );
  assert.match(out, /^1 would pay less, 1 more, 0 the same$/m);
});

test('cards of markets and their minimum, mixed by the nodes of a cluster, are in the table', async () => {
  const { out, err } = await run(['--tariff', 'spot.yaml']);
  assert.match(out, /10 containers, with other rateCards, markets$/m, err);
  const rows = out.split('\n').filter((line) => /^(etl|ml|TOTAL) /.test(line));
  // Two cores and four GiB at a quarter of the one price and three of the other; the least is 3.75.
  assert.deepEqual(
    rows.map((row) => row.split(/ {2,}/)),
    [
      ['ml', '7.2', '18.75', '+11.55', '+160.42 %'],
      ['etl', '39.6', '23.4', '-16.2', '-40.91 %'],
      ['TOTAL', '46.8', '42.15', '-4.65', '-9.94 %'],
    ],
  );
});

test('what would have been refused is named', async () => {
  const { out } = await run(['--tariff', 'budget.yaml', '-p', 'etl']);
  assert.match(out, /^etl +39\.6 +39\.6 +0 +0\.00 % +2026-11-21 07:00 +2 +15\.84$/m);
  assert.match(out, /^etl would have been refused: etl-3, etl-4$/m);
  assert.doesNotMatch(out, /^ml/m);
});

test('scripts get it exact, as JSON and as CSV', async () => {
  const json = await run(['--tariff', 'memory.yaml', '--json']);
  const result = restReplayResult.parse(JSON.parse(json.out));
  assert.equal(result.total.difference, '14.4');
  const csv = await run(['--tariff', 'memory.yaml', '--csv']);
  assert.deepEqual(csv.out.trimEnd().split('\n').slice(1), [
    'etl,39.6,32.4,-7.2,-18.18,,,0,0',
    'ml,7.2,28.8,21.6,300.00,,,0,0',
  ]);
});

test('a terminal sees a bar, and nothing of it stays in the answer', async () => {
  const { screen, out } = await run(['--tariff', 'memory.yaml', '--json'], true);
  assert.match(screen.text, /Charging containers/);
  assert.doesNotMatch(out, /Charging/);
  assert.equal((await run(['--tariff', 'memory.yaml'])).screen.text, '');
});

test('all that is wrong with a tariff file is told with its lines, before anything is asked', async () => {
  const { err, exitCode } = await run(['--tariff', 'bad.yaml']);
  assert.equal(exitCode, 1);
  assert.deepEqual(
    err
      .split('\n')
      .flatMap((line) => /^bad\.yaml:(\d+):\d+ (\S+):/.exec(line)?.slice(1, 3).join(' ') ?? []),
    ['2 rateCard.coreSecond', '3 rateCard.gibSeconds', '5 price.knee', '6 price.cap'],
  );
  const none = await run(['--tariff', 'none.yaml']);
  assert.equal(none.exitCode, 2);
  assert.match(none.err, /--tariff none\.yaml cannot be read/);
});
