import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { LogLevel, LogRecord } from '../../../shared/contracts/log-record.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { DAY_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { logsConfig } from './config.ts';
import { LogQuotas } from './log-quotas.ts';
import { ALL_KEPT, isKept, sharesFor } from './log-sampling.ts';

const ETL = 'etl' as ProjectId;

function record(level: LogLevel, n: number, project = ETL): LogRecord {
  return {
    ...{ at: 1_000 + n, project, cluster: '', application: '', container: '', level },
    ...{ logger: '', thread: '', message: 'x'.repeat(100), fingerprint: 'f', marks: [] },
    origin: `logs:file:a#${n}`,
  };
}

const many = fc.integer({ min: 0, max: 100_000 });

test('DEBUG goes before INFO, what is kept is within the quota or the least, and nothing else counts', () => {
  fc.assert(
    fc.property(fc.record({ debug: many, info: many, other: many }), many, (came, quota) => {
      const { debug, info } = sharesFor(came, quota);
      const whole = came.debug + came.info + came.other;
      if (whole <= quota) assert.deepEqual({ debug, info }, ALL_KEPT);
      if (info < 1) assert.equal(debug, 1 / 128);
      const kept = came.debug * debug + came.info * info + came.other;
      const least = came.other + (came.debug + came.info) / 128;
      assert.ok(kept <= Math.max(quota + came.debug / 128, least) + 1e-6, `${kept}`);
    }),
  );
});

test('a choice depends on the line alone, is the same each time, and a larger share keeps more', () => {
  let kept = 0;
  for (let n = 0; n < 10_000; n += 1) {
    const one = record('INFO', n);
    const small = isKept(one, { debug: 1 / 128, info: 1 / 16 });
    assert.equal(isKept({ ...one }, { debug: 1 / 128, info: 1 / 16 }), small);
    if (small) assert.ok(isKept(one, { debug: 1 / 128, info: 1 / 8 }));
    kept += Number(small);
    for (const level of ['WARN', 'ERROR', 'FATAL', 'UNKNOWN'] as const) {
      assert.ok(isKept(record(level, n), { debug: 0, info: 0 }));
    }
  }
  assert.ok(Math.abs(kept - 625) < 120, `${kept} of about 625`);
});

function setUp(quota: object) {
  const clock = new FakeClock(Date.UTC(2026, 10, 21, 9));
  const metrics = new Metrics();
  const config = logsConfig.parse({ quota: [{ project: 'etl', ...quota }] });
  const quotas = new LogQuotas(config.quota, { clock, metrics });
  let n = 0;
  /** So many lines of a level in a second; how many were kept. */
  const second = async (counts: Partial<Record<LogLevel, number>>) => {
    const kept: Record<string, number> = {};
    for (const [level, count] of Object.entries(counts)) {
      for (let i = 0; i < count; i += 1) {
        n += 1;
        const reason = quotas.reasonToDrop(record(level as LogLevel, n));
        kept[reason ?? level] = (kept[reason ?? level] ?? 0) + 1;
      }
    }
    await clock.advance(1_000);
    return kept;
  };
  return { clock, metrics, quotas, second };
}

test('a project over its lines a second loses DEBUG, then INFO, and never WARN; said once a minute', async () => {
  const { quotas, second, clock, metrics } = setUp({ linesPerSecond: 100 });
  const flood = { DEBUG: 500, INFO: 400, WARN: 50, ERROR: 5, UNKNOWN: 3 };
  await second(flood);
  assert.deepEqual(quotas.announcements(), []);
  const kept = await second(flood);
  assert.deepEqual([kept['WARN'], kept['ERROR'], kept['UNKNOWN']], [50, 5, 3]);
  assert.ok((kept['DEBUG'] ?? 0) < 20 && (kept['INFO'] ?? 0) < 60, JSON.stringify(kept));
  assert.equal((kept['DEBUG'] ?? 0) + (kept['over-quota-debug'] ?? 0), 500);
  const [said, ...more] = quotas.announcements();
  assert.deepEqual([more, said?.project, said?.level], [[], 'etl', 'WARN']);
  assert.match(said?.message ?? '', /^Over the log quota of 100 lines a second: of DEBUG 1 of 128/);
  await second(flood);
  assert.deepEqual(quotas.announcements(), []);
  await clock.advance(60_000);
  const [within] = quotas.announcements();
  assert.match(within?.message ?? '', /^Within the log quota of 100 lines a second again/);
  assert.deepEqual(await second({ DEBUG: 10, INFO: 10 }), { DEBUG: 10, INFO: 10 });
  const sampled = [...metrics.values('tollgate_log_sampled_total').values()];
  assert.ok(sampled.every((count) => count > 300));
});

test('a project without a quota, or below its own, keeps everything', async () => {
  const { quotas, second } = setUp({ linesPerSecond: 100 });
  for (let n = 0; n < 1_000; n += 1) {
    assert.equal(quotas.reasonToDrop(record('DEBUG', n, 'ml' as ProjectId)), undefined);
  }
  assert.deepEqual(await second({ DEBUG: 50, INFO: 50 }), { DEBUG: 50, INFO: 50 });
  assert.deepEqual(await second({ DEBUG: 50, INFO: 50 }), { DEBUG: 50, INFO: 50 });
  assert.deepEqual(quotas.announcements(), []);
});

test('a quota of bytes a day begins anew at midnight UTC', async () => {
  const { second, clock } = setUp({ bytesPerDay: 10_000 });
  await second({ INFO: 105 });
  const over = await second({ DEBUG: 200, INFO: 6, WARN: 10 });
  assert.ok((over['over-quota-debug'] ?? 0) > 150 && over['INFO'] === 6 && over['WARN'] === 10);
  assert.ok(((await second({ INFO: 200 }))['over-quota-info'] ?? 0) > 150);
  await clock.advance(DAY_MS);
  await second({});
  assert.deepEqual(await second({ DEBUG: 5, INFO: 5 }), { DEBUG: 5, INFO: 5 });
});

test('a quota says either, and a project has one', () => {
  const refused = (quota: unknown) => logsConfig.safeParse({ quota }).success === false;
  assert.ok(refused([{ project: 'etl' }]));
  assert.ok(refused([{ project: 'etl', linesPerSecond: 1, bytesPerDay: 1 }]));
  assert.ok(refused([1, 2].map((linesPerSecond) => ({ project: 'etl', linesPerSecond }))));
});
