import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';

/**
 * The data folder lies on a small disk of its own, in memory, which a foreign file fills until less
 * than the reserve is left. Telemetry must wait, the ledger must go on, and nothing may be lost.
 */
const MIB = 1_048_576;
/** A gigabyte is the reserve of logs and metrics; the rest is for the stores and the foreign file. */
const DISK_MIB = 1_024 + 192;
const WIDE = 'from=2000-01-01T00:00:00Z&until=2100-01-01T00:00:00Z';
const PROJECT = { 'tollgate-project': 'etl' };

function mountDisk(path: string): Disposable | undefined {
  mkdirSync(path);
  const { status } = spawnSync('/bin/mount', [
    '-t',
    'tmpfs',
    '-o',
    `size=${DISK_MIB}m`,
    'none',
    path,
  ]);
  if (status !== 0) return undefined;
  return { [Symbol.dispose]: () => spawnSync('/bin/umount', ['-l', path]) };
}

const application = JSON.stringify({
  kind: 'application-seen',
  id: 'app-1-seen',
  at: Date.now() - 60_000,
  application: 'app-1',
  name: 'orders',
  user: 'alice',
});

const point = (value: number): string =>
  JSON.stringify({ measurement: 'm', field: 'f', at: Date.now() - value, value });

interface Logs {
  readonly logs: { message: string }[];
}

test('on a full disk telemetry waits while the ledger goes on, and then comes in whole', async (t) => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, 'data');
  using disk = mountDisk(data);
  if (disk === undefined) return t.skip('this user may not mount a disk of its own');
  const file = join(folder.path, 'app-1.log');
  const write = (message: string) =>
    appendFileSync(file, `{"level":"INFO","message":"${message}"}\n`);
  write('before');
  await using tollgate = await RunningTollgate.start(folder.path, {
    logLevel: 'error',
    logs: { files: [{ paths: [file], project: 'etl' }], storeTimeoutMs: 100 },
    metrics: { graphite: [], storeTimeoutMs: 100 },
    metering: { projects: [{ id: 'etl', grants: [{ id: 'g', credits: '1000' }] }] },
  });
  const messages = async (): Promise<string[]> => {
    const { logs } = await tollgate.get<Logs>(`/v1/projects/etl/logs?${WIDE}`);
    return logs.map(({ message }) => message);
  };
  const push = async (collector: string, line: string): Promise<number> =>
    (await tollgate.post(`/v1/ingest/${collector}`, `${line}\n`, PROJECT)).status;
  await tollgate.until(messages, (all) => all.includes('before'));

  const foreign = join(data, 'foreign');
  writeFileSync(foreign, Buffer.alloc(192 * MIB, 1));
  // The free space is looked at once a second, so that one more may pass.
  await tollgate.until(
    () => push('logs', '{"message":"pushed"}'),
    (status) => status === 503,
  );
  await tollgate.until(
    () => push('metrics', point(0)),
    (status) => status === 503,
  );
  write('during');
  assert.equal(await push('containers', application), 200);
  const quota = await fetch(`${tollgate.url}/v1/quota-checks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"project":"etl"}',
  });
  assert.equal(quota.status, 200);
  interface Applications {
    applications: { id: string }[];
  }
  await tollgate.until(
    () => tollgate.get<Applications>('/v1/projects/etl/applications'),
    ({ applications }) => applications[0]?.id === 'app-1',
  );
  assert.ok(!(await messages()).includes('during'));

  rmSync(foreign);
  await tollgate.until(messages, (all) => all.includes('during'));
  assert.equal(await push('logs', '{"message":"after"}'), 200);
  assert.equal(await push('metrics', point(1)), 200);
  const all = await messages();
  for (const once of ['before', 'during', 'after']) {
    assert.equal(all.filter((message) => message === once).length, 1, once);
  }
  assert.equal(await tollgate.stop(), 0);
});
