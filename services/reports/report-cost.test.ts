import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { CostReport, UseRow } from '../../shared/contracts/cost-report.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import {
  applicationEnd,
  applicationStart,
  environment,
  executorAdded,
  logStart,
  taskEnd,
} from '../../test/support/event-log-lines.ts';
import { PACKERS } from '../../test/support/pack-event-log.ts';
import { sharedDataFile } from '../../test/support/shared-data.ts';
import { type ReportOptions, reportCost } from './report-cost.ts';

function report(
  paths: readonly string[],
  options: Partial<ReportOptions> = {},
): Promise<CostReport> {
  return reportCost({
    paths,
    by: 'application',
    unused: 'by-use',
    ratesFile: undefined,
    rulesFile: undefined,
    yarnMemoryStepMib: 0,
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...options,
  });
}

/** A folder with these files, gone after the test. */
async function folder(
  context: TestContext,
  files: Readonly<Record<string, string | Buffer>>,
): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tollgate-report-'));
  context.after(() => rm(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  }
  return path;
}

const log = (lines: readonly string[]): Buffer => Buffer.from(`${lines.join('\n')}\n`);
const made = (id: string, seconds = 10, fields: object = {}): string[] => [
  logStart(),
  environment({ 'spark.master': 'spark://m:7077', 'spark.tollgate.tag.team': `team-${id}` }),
  applicationStart(1_795_000_000_000, { 'App ID': id, ...fields }),
  executorAdded(1_795_000_000_000, '1'),
  taskEnd({ id: 1, launch: 1_795_000_001_000, finish: 1_795_000_002_000, runMs: 900 }),
  applicationEnd(1_795_000_000_000 + seconds * 1000),
];
const kinds = (given: CostReport) =>
  given.total.attempts.flatMap(({ notes }) => notes.map(({ kind }) => kind));
const executors = (given: CostReport): UseRow | undefined =>
  given.total.rows.find(({ role }) => role === 'executor');
const tenths = (ms: bigint): string =>
  (Number(ms / 100n + (ms % 100n >= 50n ? 1n : 0n)) / 10).toFixed(1);

const APACHE = 'spark-eventlogs/apache-spark';
const NVIDIA = 'spark-eventlogs/nvidia-rapids-tools';

// The table of reference numbers that comes with the samples: executors, executor seconds, core
// seconds, task run seconds.
const REFERENCE: readonly (readonly [string, number, string, string, string])[] = [
  [`${APACHE}/application_1628109047826_1317105`, 10, '1696.7', '1696.7', '113.6'],
  [`${APACHE}/app-20200706201101-0003`, 1, '360.9', '5774.6', '33.0'],
  [`${APACHE}/application_1578436911597_0052`, 1, '32.9', '131.6', '0.1'],
  [`${APACHE}/application_1555004656427_0144`, 2, '14.1', '14.1', '0.0'],
  [`${APACHE}/local-1596020211915`, 1, '14.2', '56.8', '2.1'],
  [`${NVIDIA}/eventlog_4nodes_8cores_dynamic_alloc.zstd`, 15, '498.4', '1993.5', '173.6'],
  [`${NVIDIA}/multiple_attempts/attempt_1_eventlog.zstd`, 10, '355.9', '1067.7', '187.9'],
  [`${NVIDIA}/multiple_attempts/attempt_2_eventlog.zstd`, 10, '352.3', '1057.0', '185.7'],
];

for (const [name, count, seconds, coreSeconds, taskSeconds] of REFERENCE) {
  test(`the reference numbers of ${name} come out`, async () => {
    const given = await report([sharedDataFile(name)]);
    const row = executors(given);
    assert.equal(row?.containers, count);
    assert.equal(tenths(row.quantity.containerMs), seconds);
    assert.equal(tenths(row.quantity.millicoreMs / 1000n), coreSeconds);
    assert.equal(tenths(BigInt(given.total.taskRunMs)), taskSeconds);
    assert.deepEqual(given.problems, []);
  });
}

test('the logs of Spark 3.5 and 4.1 are read without an unreadable line', async () => {
  const given = await report([sharedDataFile('spark4/eventlog')]);
  assert.deepEqual(given.problems, []);
  assert.equal(given.total.attempts.length, 7);
  assert.deepEqual(kinds(given).sort(), ['end-inferred', 'executor-removed-twice']);
  const twice = given.groups.find(({ key }) => key === 'application_1795248855005_0001');
  assert.deepEqual(
    twice?.attempts.map(({ attempt, endInferred }) => [attempt, endInferred]),
    [
      ['1', true],
      ['2', false],
    ],
  );
});

test('executors that are added after the end of the application have no negative time', async () => {
  const given = await report([sharedDataFile(`${NVIDIA}/databricks-aws`)], { by: 'tag:Vendor' });
  assert.equal(executors(given)?.quantity.containerMs, 0n);
  assert.ok(kinds(given).includes('negative-duration'));
  assert.deepEqual(
    given.groups.map(({ key }) => key),
    ['Databricks'],
  );
});

test('the parts of a rolling log are one log, in the order of their numbers', async () => {
  const given = await report([sharedDataFile(`${NVIDIA}/eventlog_v2_local-1623876083964`)]);
  assert.deepEqual(kinds(given), []);
  assert.equal(given.total.attempts.length, 1);
  assert.equal(executors(given)?.quantity.containerMs, 133_176n);
});

test('a log gives the same report however it is packed and named', async (context) => {
  const lines = log(made('app-1'));
  const packed = Object.entries(PACKERS).map(([suffix, pack]) => [`app-1${suffix}`, pack(lines)]);
  for (const [name, bytes] of packed) {
    const path = await folder(context, {
      [`${name}`]: bytes as Buffer,
      [`x/${name}.inprogress`]: bytes as Buffer,
    });
    const given = await report([path]);
    assert.equal(executors(given)?.quantity.containerMs, 10_000n, `${name}`);
    assert.deepEqual(given.problems, []);
    assert.equal(given.duplicates.length, 1);
  }
});

test('a rolling folder counts from its compacted file on, and says that it undercounts', async (context) => {
  const [start, end] = [made('app-1').slice(0, 4), made('app-1').slice(4)];
  const path = await folder(context, {
    'eventlog_v2_app-1/appstatus_app-1': '',
    'eventlog_v2_app-1/events_1_app-1': log([...start, ...start]),
    'eventlog_v2_app-1/events_2_app-1.compact': log(start),
    'eventlog_v2_app-1/events_2_app-1': log(['{"Event":"superseded"}']),
    'eventlog_v2_app-1/events_10_app-1': log(end.slice(1)),
    'eventlog_v2_app-1/events_3_app-1': log(end.slice(0, 1)),
  });
  const given = await report([path]);
  assert.deepEqual(kinds(given).sort(), ['missing-part', 'undercounted']);
  assert.equal(executors(given)?.quantity.containerMs, 10_000n);
});

test('what is no event log is named with the reason, and the rest is still reported', async (context) => {
  const path = await folder(context, {
    'app-1': log(made('app-1')),
    empty: '',
    'notes.txt': 'hello\n'.repeat(1000),
    'picture.png': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff, 0xfe]),
    'old.lzf': 'ZV\u0001',
    'broken.gz': 'nothing',
    'eventlog_v2_new/appstatus_new.inprogress': '',
    '.hidden.crc': 'crc',
    'status.jsonl': '{"Event":"SomethingElse"}\n',
  });
  const given = await report([path, join(path, 'nowhere')]);
  const reasons = Object.fromEntries(
    given.problems.map(({ path: at, reason }) => [at.slice(path.length + 1), reason]),
  );
  assert.deepEqual(Object.keys(reasons).sort(), [
    'broken.gz',
    'empty',
    'eventlog_v2_new',
    'notes.txt',
    'nowhere',
    'old.lzf',
    'picture.png',
    'status.jsonl',
  ]);
  assert.match(reasons['empty'] ?? '', /empty/);
  assert.match(reasons['old.lzf'] ?? '', /lzf/);
  assert.match(reasons['broken.gz'] ?? '', /gzip/);
  assert.match(reasons['nowhere'] ?? '', /no such file/);
  assert.equal(given.total.attempts.length, 1);
});

test('an unreadable line is named, and everything around it is reported', async (context) => {
  const lines = made('app-1');
  lines.splice(4, 0, '{"Event":"SparkListenerTaskEnd","Stage', '\u0000\ufffd');
  const path = await folder(context, { 'app-1': log(lines) });
  const given = await report([path]);
  assert.match(given.problems[0]?.reason ?? '', /not all of it could be read.*\(2\)/);
  assert.equal(executors(given)?.quantity.containerMs, 10_000n);
});

test('a log cut anywhere is reported as far as it goes', async (context) => {
  const bytes = log(made('app-1'));
  const path = await folder(context, {});
  await fc.assert(
    fc.asyncProperty(
      fc.nat(bytes.length - 2),
      fc.constantFrom(...Object.entries(PACKERS)),
      async (cut, [suffix, pack]) => {
        const file = join(path, `cut${suffix}`);
        const packed = pack(bytes);
        await writeFile(file, packed.subarray(0, Math.floor((packed.length * cut) / bytes.length)));
        const given = await report([file]);
        assert.ok((executors(given)?.quantity.containerMs ?? 0n) <= 10_000n);
        assert.ok(given.total.attempts.length + given.problems.length > 0);
      },
    ),
    { numRuns: 100 },
  );
});

test('a truncated log is read without a complaint, and its end is inferred', async (context) => {
  const bytes = log(made('app-1'));
  const path = await folder(context, { 'app-1.inprogress': bytes.subarray(0, bytes.length - 20) });
  const given = await report([path]);
  assert.deepEqual(given.problems, []);
  assert.deepEqual(kinds(given).sort(), ['end-inferred', 'truncated']);
  assert.equal(executors(given)?.quantity.containerMs, 2_000n);
});

test('copies of an attempt count once: the one that tells more', async (context) => {
  const whole = made('app-1');
  const path = await folder(context, {
    a: log(whole.slice(0, 5)),
    b: log(whole),
    c: log(whole),
    d: log(made('app-1', 10, { 'App Attempt ID': '2' })),
  });
  await symlink(join(path, 'b'), join(path, 'e'));
  const given = await report([path, path]);
  assert.deepEqual(
    given.duplicates.map((copy) => [copy.path.at(-1), copy.of.at(-1)]),
    [
      ['a', 'b'],
      ['c', 'b'],
    ],
  );
  assert.equal(given.groups[0]?.attempts.length, 2);
  assert.equal(executors(given)?.containers, 2);
});

test('a folder that links to itself is searched once', async (context) => {
  const path = await folder(context, { 'app-1': log(made('app-1')) });
  await symlink(path, join(path, 'loop'));
  assert.equal((await report([path])).total.attempts.length, 1);
});

const role = fc.record({
  id: fc.nat(5),
  seconds: fc.integer({ min: 0, max: 100_000 }),
  attempt: fc.nat(2),
});

test('rows add up exactly to the total, by whatever they are grouped', async (context) => {
  const path = await folder(context, {});
  await fc.assert(
    fc.asyncProperty(fc.array(role, { minLength: 1, maxLength: 6 }), async (runs) => {
      const at = await mkdtemp(join(path, 'run-'));
      for (const [index, { id, seconds, attempt }] of runs.entries()) {
        const lines = made(`app-${id}`, seconds, { 'App Attempt ID': `${attempt}` });
        await writeFile(join(at, `${index}`), log(lines));
      }
      const amounts: bigint[] = [];
      for (const by of ['application', 'project', 'tag:team', 'tag:none']) {
        const { groups, total } = await report([at], { by });
        const sum = (rows: readonly UseRow[]) => rows.reduce((all, row) => all + row.amount, 0n);
        const cores = (rows: readonly UseRow[]) =>
          rows.reduce((all, row) => all + row.quantity.millicoreMs, 0n);
        assert.equal(
          groups.reduce((all, group) => all + sum(group.rows), 0n),
          sum(total.rows),
        );
        assert.equal(
          groups.reduce((all, group) => all + cores(group.rows), 0n),
          cores(total.rows),
        );
        for (const { slots } of [...groups, total]) {
          const { slotMs, usefulMs, wastedMs, idleMs, tailMs, startUpMs } = slots;
          assert.equal(usefulMs + wastedMs + idleMs + tailMs + startUpMs, slotMs);
        }
        amounts.push(sum(total.rows));
      }
      assert.equal(new Set(amounts).size, 1);
    }),
    { numRuns: 20 },
  );
});

test('rules and rates come from files, in YAML or JSON', async (context) => {
  const path = await folder(context, {
    'logs/app-1': log(made('app-1')),
    'rules.yaml': 'attribution:\n  - tags: { team: team-* }\n    project: teams\n',
    'rates.json': '{"coreSecond": "1", "gibSecond": 0, "id": "mine"}',
  });
  const given = await report([join(path, 'logs')], {
    by: 'project',
    rulesFile: join(path, 'rules.yaml'),
    ratesFile: join(path, 'rates.json'),
  });
  assert.deepEqual(
    given.groups.map(({ key }) => key),
    ['teams'],
  );
  assert.equal(given.rateCard.id, 'mine');
  assert.equal(executors(given)?.amount, 20_000_000_000n, '2 cores for 10 s at 1 credit');
});

test('what no rule matches stands under unattributed', async (context) => {
  const path = await folder(context, { 'app-1': log(made('app-1')) });
  const { groups } = await report([path], { by: 'project' });
  assert.deepEqual(
    groups.map(({ key }) => key),
    ['unattributed'],
  );
});

test('a wrong settings file tells all that is wrong with it', async (context) => {
  const path = await folder(context, {
    'rates.yaml': 'coreSecond: x\ngibSecond: 1e-3\n',
    'rules.yaml': '- user: a\n- project: "no project"\n',
    'broken.yaml': 'a: [\n',
  });
  const fails = async (options: Partial<ReportOptions>, wanted: readonly RegExp[]) => {
    const error = await report([], options).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof AppError);
    for (const text of wanted) assert.match(error.message, text);
  };
  await fails({ ratesFile: join(path, 'rates.yaml') }, [/coreSecond: "x"/, /rates\.yaml/]);
  await fails({ rulesFile: join(path, 'rules.yaml') }, [/either project/, /is no project id/]);
  await fails({ rulesFile: join(path, 'broken.yaml') }, [/broken\.yaml/]);
  await fails({ rulesFile: join(path, 'missing.yaml') }, [/cannot read/]);
  await fails({ by: 'colour' }, [/application, project or tag:KEY/]);
});

test('progress ends at the size of all files, and an abort ends the reading', async (context) => {
  const bytes = log(made('app-1'));
  const path = await folder(context, { a: bytes, b: bytes });
  const seen: number[][] = [];
  await report([path], { onProgress: (read, total) => seen.push([read, total]) });
  assert.deepEqual(seen.at(-1), [bytes.length * 2, bytes.length * 2]);
  await assert.rejects(report([path], { signal: AbortSignal.abort() }), /abort/i);
});

test("YARN's steps of memory are a choice", async () => {
  const name = `${APACHE}/application_1628109047826_1317105`;
  const memory = async (step: number) =>
    executors(await report([sharedDataFile(name)], { yarnMemoryStepMib: step }))?.quantity.mibMs;
  assert.equal(await memory(0), 1_696_744n * 4505n);
  assert.equal(await memory(1024), 1_696_744n * 5120n);
});

test('a log of nothing but long lines takes little memory', async (context) => {
  const path = await folder(context, {
    'app-1': Buffer.concat([Buffer.alloc(70 * 2 ** 20, 'x'), log(['', ...made('app-1')])]),
  });
  const given = await report([path]);
  assert.match(given.problems[0]?.reason ?? '', /over 64 MiB/);
  assert.equal(executors(given)?.containers, 1);
});

test('a large file that is no event log is left after its beginning', async (context) => {
  const path = await folder(context, { 'dump.txt': 'no event\n'.repeat(2_000_000) });
  let most = 0;
  await report([path], {
    onProgress: (read) => {
      most = Math.max(most, read);
    },
  });
  assert.ok(most <= 4 * 2 ** 20, `${most} bytes were read`);
});
