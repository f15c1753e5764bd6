import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import type { RestIngest } from '../../shared/contracts/rest.ts';
import { runTollgate } from '../support/cli-run.ts';
import { type Fates, fatesSince, recordFates } from '../support/record-fates.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';

/**
 * What no well-behaved sender sends goes to the four doors for pushed records. Every line must be
 * answered for: stored, or in a verdict, and the same in the counters and in the quarantine.
 */
const NOW = Date.now() - 60_000;
const PROJECT = { 'tollgate-project': 'etl' };
const MIB = 1_048_576;

type Json = Record<string, unknown>;

interface Door {
  readonly collector: 'logs' | 'progress' | 'metrics' | 'containers';
  /** A good record, another one for each number. */
  readonly record: (n: number) => Json;
  readonly timeKey: string;
  readonly numberKey: string;
}

const DOORS: readonly Door[] = [
  {
    collector: 'logs',
    record: (n) => ({ id: `r${n}`, level: 'INFO', message: `good${n}` }),
    timeKey: 'ts',
    numberKey: 'timeMillis',
  },
  {
    collector: 'progress',
    record: (n) => ({
      id: '73a0e105-ef90-42e8-a7c0-7262bb60f730',
      runId: '136d37de-27a1-4773-8f81-bd2f625e90e8',
      name: 'orders',
      timestamp: new Date(NOW + n * 10).toISOString(),
      batchId: n,
      numInputRows: n,
      durationMs: { triggerExecution: 5 },
      sources: [],
      sink: { description: 'x' },
      application: 'app-1',
    }),
    timeKey: 'timestamp',
    numberKey: 'numInputRows',
  },
  {
    collector: 'metrics',
    record: (n) => ({ measurement: 'm', field: 'f', at: NOW + n, value: n }),
    timeKey: 'at',
    numberKey: 'value',
  },
  {
    collector: 'containers',
    record: (n) => ({
      kind: 'container-started',
      id: `c${n}-start`,
      at: NOW + n,
      container: `c${n}`,
      application: 'app-1',
      resources: { millicores: 2_000, memoryMib: 4_096 },
    }),
    timeKey: 'at',
    numberKey: 'sequence',
  },
];

const line = (record: Json): string => `${JSON.stringify(record)}\n`;
/** A number that JSON can say and `JSON.stringify` can't. */
const withNumber = (record: Json, key: string, number: string): string =>
  `${JSON.stringify({ ...record, [key]: '#' }).replace('"#"', number)}\n`;

interface Case {
  readonly name: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly records: number;
  /** How many of them must be stored; undefined where the doors differ with reason. */
  readonly stored?: number;
}

function casesOf({ record, timeKey, numberKey }: Door): Case[] {
  let n = 0;
  const next = (): Json => record(n++);
  const text = (name: string, body: string, records: number, stored?: number): Case => ({
    name,
    body: Buffer.from(body),
    records,
    ...(stored === undefined ? {} : { stored }),
  });
  const malformed = ['{"a":', '{]', 'null', '1', '"x"', '[]', 'true', 'NaN', '{}', '{"a":1}}'];
  const times = ['1000-01-01T00:00:00Z', '9999-12-31T23:59:59Z', 0, -1, 8.64e15, 9e15, 1e300];
  const numbers = ['9007199254740993', '1e400', '-1e308', '9'.repeat(400)];
  const twice = line(next());
  const late = line(next());
  const wide = Buffer.from(`\ufeff${line(next())}`, 'utf16le');
  const swapped = Buffer.from(`\ufeff${line(next())}`, 'utf16le').swap16();
  const latin1 = Buffer.from(line({ ...next(), name: 'café' }), 'latin1');
  return [
    text('nothing', '', 0, 0),
    text('blank lines', ' \n\t\n\r\n\n', 0, 0),
    {
      name: 'binary',
      body: Buffer.from([0, 1, 2, 255, 254, 10, 0, 10, 128]),
      records: 3,
      stored: 0,
    },
    text('malformed lines', malformed.join('\n'), malformed.length, 0),
    { name: 'UTF-16 with its mark', body: wide, records: 1, stored: 1 },
    { name: 'UTF-16 the other way', body: swapped, records: 1, stored: 1 },
    { name: 'UTF-16 without a mark', body: wide.subarray(2), records: 2, stored: 0 },
    text('a mark of UTF-8', `\ufeff${line(next())}`, 1, 1),
    { name: 'Latin-1', body: latin1, records: 1, stored: 1 },
    text('lone surrogates', line({ ...next(), name: '\ud800', thread: 'a\udfff' }), 1, 1),
    text('NULs inside', line({ ...next(), name: 'a\0b', thread: '\0' }), 1, 1),
    text(
      '__proto__ keys',
      `{"__proto__":${JSON.stringify(next())}}\n` +
        line(next()).replace('{', '{"__proto__":{"project":"other"},"constructor":1,'),
      2,
      1,
    ),
    text('deep nesting', `${'['.repeat(50_000)}\n${'{"a":'.repeat(50_000)}\n${line(next())}`, 3, 1),
    text(
      'numbers beyond 2^53',
      numbers.map((number) => withNumber(next(), numberKey, number)).join(''),
      numbers.length,
    ),
    text(
      'times of other ages',
      times.map((time) => line({ ...next(), [timeKey]: time })).join(''),
      times.length,
    ),
    text('duplicates', twice.repeat(3), 3),
    text('reordered', line(next()) + late, 2, 2),
    text('a huge line', `"${'x'.repeat(6 * MIB)}"\n${line(next())}`, 2, 1),
    text(
      'wrong types',
      Object.keys(record(0))
        .flatMap((key) =>
          [null, [], {}, '', 1.5, true].map((value) => ({ ...next(), [key]: value })),
        )
        .map(line)
        .join(''),
      Object.keys(record(0)).length * 6,
    ),
  ];
}

const sum = (fates: Fates): number => Object.values(fates).reduce((total, n) => total + n, 0);

/** The fates that the verdicts tell, as they must be counted. */
function refusals({ verdicts }: RestIngest): Map<string, number> {
  const fates = new Map<string, number>();
  for (const { fate, reason } of verdicts) {
    fates.set(`${fate} ${reason}`, (fates.get(`${fate} ${reason}`) ?? 0) + 1);
  }
  return fates;
}

/** All at once, so that a case also meets what other senders do to the same collector. */
async function pushAll(tollgate: RunningTollgate, door: Door): Promise<void> {
  const { collector } = door;
  const expected = new Map<string, number>();
  const push = async ({ name, body, records, stored }: Case): Promise<void> => {
    const what = `${collector}: ${name}`;
    const response = await tollgate.post(`/v1/ingest/${collector}`, body, PROJECT);
    assert.equal(response.status, 200, what);
    const answer = (await response.json()) as RestIngest;
    const { duplicates, dropped, quarantined } = answer;
    assert.equal(answer.stored + duplicates + dropped + quarantined, records, what);
    if (stored !== undefined) assert.equal(answer.stored, stored, what);
    for (const [fate, count] of refusals(answer)) {
      expected.set(fate, (expected.get(fate) ?? 0) + count);
    }
  };
  const cases = casesOf(door);
  await Promise.all(cases.map(push));
  const counted = await recordFates(tollgate, collector);
  const records = cases.reduce((total, one) => total + one.records, 0);
  assert.equal(sum(counted), records, `${collector}: ${JSON.stringify(counted)}`);
  for (const [fate, count] of expected) assert.equal(counted[fate], count, `${collector} ${fate}`);
}

interface Waiting {
  readonly counts: { collector: string; reason: string; records: number }[];
  readonly records: { id: string; raw: string; project: string }[];
}

test('whatever is pushed, each line is answered for and the next good one is stored', async (t) => {
  await using folder = await temporaryFolder();
  const config = {
    metrics: { graphite: [] },
    metering: { projects: [{ id: 'etl', grants: [] }] },
  };
  await using tollgate = await RunningTollgate.start(folder.path, {
    ...config,
    logs: { maxRecordBytes: 32_768 },
  });

  await Promise.all(
    DOORS.map((door) => t.test(`${door.collector} over HTTP`, () => pushAll(tollgate, door))),
  );

  await t.test('what was refused waits in the quarantine, each line once', async () => {
    const { counts } = await tollgate.get<Waiting>('/v1/quarantine');
    for (const { collector } of DOORS) {
      const fates = await recordFates(tollgate, collector);
      for (const own of counts.filter((one) => one.collector === collector)) {
        // The same line waits once, however often it came.
        const counted = fates[`quarantined ${own.reason}`] ?? 0;
        assert.ok(own.records <= counted && own.records > 0, `${collector} ${own.reason}`);
      }
      const reasons = Object.keys(fates).filter((fate) => fate.startsWith('quarantined '));
      assert.deepEqual(
        counts.filter((one) => one.collector === collector).map(({ reason }) => reason),
        reasons.map((fate) => fate.slice('quarantined '.length)).sort(),
      );
    }
  });

  await t.test(
    'bodies that can’t be unpacked are refused whole, and nothing is stored',
    async () => {
      const bomb = gzipSync(Buffer.alloc(64 * MIB, '\n'));
      const bodies: [Uint8Array<ArrayBuffer>, number, string][] = [
        [Buffer.from('no gzip'), 400, 'gzip'],
        [gzipSync('{"message":"cut"}\n').subarray(0, 20), 400, 'gzip'],
        [Buffer.from('no zstd'), 400, 'zstd'],
        [Buffer.from('x'), 415, 'br'],
        [Buffer.from(bomb), 413, 'gzip'],
      ];
      for (const { collector } of DOORS) {
        const before = await recordFates(tollgate, collector);
        for (const [body, status, encoding] of bodies) {
          const headers = { ...PROJECT, 'content-encoding': encoding };
          const response = await tollgate.post(`/v1/ingest/${collector}`, body, headers);
          assert.equal(response.status, status, `${collector} ${encoding}`);
          assert.equal(typeof ((await response.json()) as Json)['code'], 'string');
        }
        assert.deepEqual(fatesSince(before, await recordFates(tollgate, collector)), {});
      }
    },
  );

  await t.test('what was stored of it can be read', async () => {
    const range = 'from=2000-01-01T00:00:00Z&until=2100-01-01T00:00:00Z';
    const paths = [
      `/v1/projects/etl/logs?${range}&limit=1000`,
      `/v1/projects/etl/metrics?measurement=m&field=f&step=0&${range}`,
      `/v1/projects/etl/metrics?measurement=streaming_query&field=batch_id&step=0&${range}`,
      '/v1/projects/etl/applications?limit=500',
      `/v1/projects/etl/charges?${range}&limit=5000`,
      '/v1/projects/etl/streaming-queries',
      '/v1/projects',
      '/v1/clusters',
      '/v1/quarantine?limit=1000',
    ];
    for (const path of paths) await tollgate.get(path);
    const { logs } = await tollgate.get<{ logs: { message: string; project?: string }[] }>(
      paths[0] ?? '',
    );
    assert.ok(logs.some(({ message }) => message === 'good0'));
    const other = await fetch(`${tollgate.url}/v1/projects/other/logs?${range}`);
    assert.equal(other.status, 404);
  });

  await t.test('memory stayed bounded', () => {
    assert.ok(tollgate.peakMemoryBytes() < 1_000 * MIB, `${tollgate.peakMemoryBytes()}`);
  });

  await t.test('people list what waits, and try it again when its cause is gone', async () => {
    const waiting = { 'tollgate-project': 'waiting' };
    const record = line({ level: 'INFO', message: `tryagain ${'y'.repeat(40_000)}` });
    for (const { collector } of DOORS) {
      await tollgate.post(`/v1/ingest/${collector}`, 'no json at all\n', waiting);
    }
    await tollgate.post('/v1/ingest/logs', record, waiting);
    const cli = (command: string, { url }: RunningTollgate, ...more: string[]) =>
      runTollgate('quarantine', command, '--project', 'waiting', '--url', url, ...more);
    const [listed, json] = await Promise.all([
      cli('list', tollgate),
      cli('list', tollgate, '--json', '--collector', 'metrics'),
    ]);
    assert.equal(listed.code, 0, listed.err);
    for (const { collector } of DOORS) {
      assert.match(listed.out, new RegExp(`${collector} +no[a-z-]+ +waiting .*no json at all`));
    }
    assert.match(listed.out, /logs +too-long +waiting/);
    const { records } = JSON.parse(json.out) as Waiting;
    assert.deepEqual(
      records.map(({ raw }) => raw),
      ['no json at all'],
    );

    assert.equal(await tollgate.stop(), 0);
    await using later = await RunningTollgate.start(folder.path, config);
    assert.match((await cli('replay', later)).out, /5 records were tried again, 1 are stored/);
    const range = 'from=2000-01-01T00:00:00Z&until=2100-01-01T00:00:00Z';
    const { logs } = await later.get<{ logs: Json[] }>(`/v1/projects/waiting/logs?${range}`);
    assert.equal(logs.length, 1);
    const left = await later.get<Waiting>('/v1/quarantine?project=waiting');
    assert.equal(left.records.length, 4);
  });
});
