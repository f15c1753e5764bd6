import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { z } from 'zod';
import { webhdfsBytes } from '../../services/metering/usage/webhdfs-bytes.ts';
import type { restQuotaCheck } from '../../shared/contracts/rest.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { type RunningHdfs, startHdfs } from './servers/hdfs.ts';

const MIB = 1_048_576;

let hdfs: RunningHdfs;
before(async () => {
  hdfs = await startHdfs();
});
after(async () => hdfs?.[Symbol.asyncDispose]());

function bytesOf(path: string): Promise<bigint> {
  const place = { project: 'etl' as ProjectId, url: hdfs.url, path, user: 'tollgate' };
  const reader = webhdfsBytes(place, { clock: systemClock });
  return reader.read(systemClock.now(), new AbortController().signal);
}

test('stored bytes are those of all files below the folder, replicas included', async () => {
  const folder = '/projects/etl ü#1';
  await hdfs.write(`${folder}/a.parquet`, MIB, 3);
  await hdfs.write(`${folder}/year=2026/b 50%.parquet`, 12_345, 2);
  await hdfs.write(`${folder}/year=2026/empty`, 0, 3);
  await hdfs.write('/projects/ml/c', 999, 1);
  const expected = BigInt(3 * MIB + 2 * 12_345);
  assert.equal(await bytesOf(folder), expected);
  assert.equal(await hdfs.fileBytes(folder), expected, 'the files one by one');
  assert.equal(await bytesOf('/projects'), expected + 999n);
  await hdfs.delete(`${folder}/a.parquet`);
  assert.equal(await bytesOf(folder), 2n * 12_345n);
});

test('a folder that is not there is told, and is not empty', async () => {
  await assert.rejects(bytesOf('/projects/nobody'), (error: Error & { code?: string }) => {
    assert.match(error.message, /404|not there|no such/i);
    return error.code === 'CLUSTER_UNAVAILABLE' || error.code === 'NOT_FOUND';
  });
});

test('a project whose folder in HDFS is full starts nothing until something is deleted', async () => {
  await hdfs.write('/projects/full/part-0', 5_000, 2);
  await using folder = await temporaryFolder();
  const place = { type: 'webhdfs', url: hdfs.url, path: '/projects/full' };
  await using tollgate = await RunningTollgate.start(folder.path, {
    metering: {
      settleIntervalMs: 100,
      usagePollMs: 1_000,
      projects: [{ id: 'full', limits: { storedBytes: 10_000 }, storage: [place] }],
    },
  });
  const check = async () => {
    const headers = { 'content-type': 'application/json' };
    const response = await tollgate.post('/v1/quota-checks', '{"project":"full"}', headers);
    return (await response.json()) as z.infer<typeof restQuotaCheck>;
  };
  const refused = await tollgate.until(check, ({ allowed }) => !allowed, 60_000);
  assert.equal(refused.reason, 'stored-bytes-exceeded');
  assert.deepEqual(
    refused.limits.map(({ kind, used }) => [kind, used]),
    [['stored-bytes', '10000']],
  );
  await hdfs.delete('/projects/full/part-0');
  assert.ok((await tollgate.until(check, ({ allowed }) => allowed, 60_000)).allowed);
});
