import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import {
  applicationEnd,
  applicationStart,
  environment,
  executorAdded,
  logStart,
  taskEnd,
} from '../../../test/support/event-log-lines.ts';
import { sharedDataFile } from '../../../test/support/shared-data.ts';
import { reportCommand } from './report.ts';

class Sink extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 100;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  hasColors(): boolean {
    return this.isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function run(
  args: readonly string[],
  isTTY = false,
): Promise<{ out: string; err: string; code: number }> {
  const [stdout, stderr] = [new Sink(isTTY), new Sink(isTTY)];
  let code = 0;
  const setExitCode = (given: number): void => {
    code = given;
  };
  const command = reportCommand({ stdout, stderr, setExitCode }).exitOverride();
  command.configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
  });
  await command.parseAsync([...args], { from: 'user' });
  return { out: stdout.text, err: stderr.text, code };
}

async function logs(
  context: TestContext,
  contents: readonly (readonly string[])[],
): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tollgate-report-'));
  context.after(() => rm(path, { recursive: true, force: true }));
  for (const [index, lines] of contents.entries()) {
    await writeFile(join(path, `log-${index}`), `${lines.join('\n')}\n`);
  }
  return path;
}

const START = 1_795_000_000_000;
const made = (id: string, name = 'made'): string[] => [
  logStart(),
  environment({ 'spark.master': 'spark://m:7077', 'spark.secret.password': 'hunter2' }),
  applicationStart(START, { 'App ID': id, 'App Name': name }),
  executorAdded(START, '1'),
  taskEnd({ id: 1, launch: START + 1000, finish: START + 3000, runMs: 1900 }),
  applicationEnd(START + 10_000),
];
const EXAMPLES = 'spark-eventlogs/apache-spark';

test('the table shows what an application used and where its time went', async (context) => {
  const { out, err, code } = await run([await logs(context, [made('app-1')])]);
  assert.equal(code, 0);
  assert.equal(err, '');
  assert.match(out, /app-1 {2}made · alice · project unattributed/);
  assert.match(out, /executors +1 +10\.0 +20\.0 +10\.0 +0\.0 +0\.0190/);
  assert.match(out, /driver +1 +10\.0 +10\.0 +10\.0 +0\.0 +0\.0100/);
  assert.match(out, /total +2 +20\.0 +30\.0 +20\.0 +0\.0 +0\.0290/);
  assert.match(
    out,
    /20\.0 slot s: useful 10\.0 % · wasted 0\.0 % · idle 80\.0 % · .* start-up 10\.0 %/,
  );
  assert.match(out, /rounded for display/);
});

test('the table of real logs fits 100 columns, dim and bold only on a terminal', async () => {
  const paths = [sharedDataFile(EXAMPLES), sharedDataFile('spark4/eventlog')];
  const plain = await run(paths);
  const lines = plain.out.split('\n');
  assert.deepEqual(
    lines.filter((line) => line.length > 100),
    [],
  );
  assert.ok(!plain.out.includes('\u001b'));
  const terminal = await run(paths, true);
  assert.ok(terminal.out.includes('\u001b[1m'));
});

test('an inferred end is said of its application', async () => {
  const name = `${EXAMPLES}/broken-last-attempt-incomplete`;
  const { out, code } = await run([sharedDataFile(name)]);
  assert.equal(code, 0);
  assert.match(out, /the log has no end of the application.*attempt 2/);
});

test('a bar on a terminal goes to stderr and is gone at the end; elsewhere there is none', async (context) => {
  const path = await logs(context, [made('app-1')]);
  assert.match((await run([path], true)).err, /Reading/);
  assert.equal((await run([path])).err, '');
});

test('names cannot steer the terminal, and nothing of the configuration is printed', async (context) => {
  const path = await logs(context, [made('app-1', 'evil\u001b[2J\u202e\nname')]);
  for (const format of [[], ['--json'], ['--csv']]) {
    const { out } = await run([path, ...format]);
    assert.ok(!out.includes('\u001b'), format.join());
    assert.ok(!out.includes('hunter2'), format.join());
  }
});

test('JSON has exact integers as strings, and its rows add up to the total', async () => {
  const { out } = await run(['--json', sharedDataFile(EXAMPLES)]);
  const json = JSON.parse(out);
  const sum = (rows: { mibMs: string }[]) => rows.reduce((all, row) => all + BigInt(row.mibMs), 0n);
  const groups = json.groups.map((group: { rows: { mibMs: string }[] }) => sum(group.rows));
  assert.equal(
    groups.reduce((all: bigint, group: bigint) => all + group, 0n),
    sum(json.total.rows),
  );
  assert.equal(json.rateCard.coreSecond, '0.0009');
  const [first] = json.groups[0].attempts;
  assert.match(first.start, /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.equal(first.configuration, undefined);
});

test('CSV has a line for each attempt and role, and no cell runs as a formula', async (context) => {
  const path = await logs(context, [made('app-1', '=HYPERLINK("x"),y')]);
  const { out } = await run(['--csv', '--by', 'project', path]);
  const [header, ...rows] = out.trimEnd().split('\n');
  assert.equal(header?.split(',').length, 24);
  assert.equal(rows.length, 2);
  assert.match(rows[0] ?? '', /^unattributed,unattributed,app-1,,"'=HYPERLINK\(""x""\),y",alice/);
  assert.match(rows[0] ?? '', /executor,1,10000,20000000,10240000,0,0\.019,20000,2000,0,/);
  assert.match(rows[1] ?? '', /driver,1,.*,0,0,0,0,0,0$/);
});

test('files that cannot be read are named on stderr with exit code 1', async (context) => {
  const path = await logs(context, [made('app-1'), ['not a log']]);
  const { out, err, code } = await run([path]);
  assert.equal(code, 1);
  assert.match(err, /log-1: it is no event log/);
  assert.match(out, /app-1/);
});

test('with nothing to report it says what to name', async (context) => {
  const { out, err, code } = await run([await logs(context, [])]);
  assert.equal(code, 1);
  assert.equal(out, '');
  assert.match(err, /the folder holds no files/);
  assert.match(err, /spark\.eventLog\.dir/);
});

test('a copy of a log is named and counted once', async (context) => {
  const { out, code } = await run([await logs(context, [made('app-1'), made('app-1')])]);
  assert.equal(code, 0);
  assert.match(out, /counted once: .*log-1 tells the same attempt as .*log-0/);
});

test('wrong options are refused with a sentence, and a wrong file with exit code 2', async (context) => {
  const path = await logs(context, [made('app-1')]);
  const colour = await run(['--by', 'colour', path]);
  assert.deepEqual([colour.code, colour.out], [2, '']);
  assert.match(colour.err, /application, project or tag:KEY/);
  await assert.rejects(run(['--json', '--csv', path]), /cannot be used with/);
  await assert.rejects(run(['--yarn-memory-step', '1g', path]), /whole number of MiB/);
  await assert.rejects(run([]), /missing required argument/);
});

test('grouping by a tag names what lacks it', async (context) => {
  const { out } = await run([
    '--by',
    'tag:team',
    await logs(context, [made('app-1'), made('app-2')]),
  ]);
  assert.match(out, /\(without this tag\)/);
  assert.match(out, /2 attempts: app-1, app-2/);
});

test('a reader that closes the pipe early is no error, a full disk is', async (context) => {
  const path = await logs(context, [made('app-1')]);
  const failing = async (code: string): Promise<void> => {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })),
    });
    const output = { stdout, stderr: new Sink(false), setExitCode: () => undefined };
    await reportCommand(output).exitOverride().parseAsync([path], { from: 'user' });
  };
  await failing('EPIPE');
  await assert.rejects(failing('ENOSPC'), /ENOSPC/);
});

test('help shows an example', () => {
  let help = '';
  reportCommand()
    .configureOutput({
      writeOut: (text) => {
        help += text;
      },
    })
    .outputHelp();
  assert.match(help, /tollgate report \/var\/spark-events/);
});

test('sharers of an application are a table for people, rows for spreadsheets, exact in JSON', async (context) => {
  const at = 1_795_000_000_000;
  const job = JSON.stringify({
    ...{ Event: 'SparkListenerJobStart', 'Stage IDs': [0] },
    Properties: { 'spark.jobGroup.id': '=nightly\u001b[2J' },
  });
  const lines = [
    ...[logStart(), environment({ 'spark.master': 'spark://m:7077' }), applicationStart(at)],
    ...[executorAdded(at, '1'), job, taskEnd({ id: 1, launch: at, finish: at + 4_000 })],
    applicationEnd(at + 10_000),
  ];
  const path = await logs(context, [lines]);
  const text = await run(['--by', 'job-group', '--unused', 'owner', path]);
  assert.match(text.out, /^ {2}shared by +task s +worked +unused +credits$/m);
  assert.match(text.out, /^ {4}=nightly\\u001b\[2J +4\.0 /m);
  assert.match(text.out, /^ {4}\(owner\) +0\.0 +0\.0000 /m);
  const csv = await run(['--by', 'job-group', '--csv', path]);
  assert.match(csv.out, /^project,application,attempt,owner,shared_by,share,task_ms,/);
  assert.match(csv.out, /,job-group,'=nightly\ufffd\[2J,4000,by-use,/);
  const json = JSON.parse((await run(['--by', 'job-group', '--json', path])).out);
  assert.deepEqual([json.by, json.sharedBy, json.unused], ['application', 'job-group', 'by-use']);
  assert.equal(json.total.shares[0].taskMs, 4_000);
  const refused = await run(['--unused', 'dice', path]);
  assert.deepEqual([refused.code, /by-use, even, owner/.test(refused.err)], [2, true]);
});
