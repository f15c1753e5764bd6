import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import type { z } from 'zod';
import type { restBalance, restQuotaCheck } from '../../shared/contracts/rest.ts';
import type { restReservation } from '../../shared/contracts/rest-reservations.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';

type Check = z.infer<typeof restQuotaCheck>;
type Balance = z.infer<typeof restBalance>;
type Reservation = z.infer<typeof restReservation>;

const PROJECT = '/v1/projects/team';
const CONTAINERS = 2;

const fact = (kind: string, more: object): string =>
  `${JSON.stringify({ kind, cluster: 'c', application: 'app-1', attempt: '', ...more })}\n`;

/** An application of 16 cores that says under which reservation it runs. */
function started(at: number): string {
  const seen = {
    ...{ id: 'app-1/seen', at, name: 'nightly', user: 'u', queue: '', project: 'team', url: '' },
    tags: { 'tollgate.reservation': 'run-1' },
  };
  const containers = Array.from({ length: CONTAINERS }, (_, i) =>
    fact('container-started', {
      ...{ id: `app-1/${i}/started`, at, container: `app-1//${i}`, role: 'executor', host: 'h' },
      ...{ resources: { millicores: 8_000, memoryMib: 16_384, gpus: 0 }, reason: '' },
    }),
  );
  return fact('application-seen', seen) + containers.join('');
}

const alive = (): string =>
  Array.from({ length: CONTAINERS }, (_, i) =>
    fact('seen', { container: `app-1//${i}`, until: Date.now() }),
  ).join('');

class Asking {
  readonly #tollgate: RunningTollgate;

  constructor(tollgate: RunningTollgate) {
    this.#tollgate = tollgate;
  }

  async send(body: string): Promise<void> {
    const { status } = await this.#tollgate.post('/v1/ingest/containers', body, {
      'tollgate-cluster': 'c',
    });
    assert.equal(status, 200);
  }

  async json<T>(path: string, body: object): Promise<{ status: number; answer: T }> {
    const headers = { 'content-type': 'application/json' };
    const response = await this.#tollgate.post(path, JSON.stringify(body), headers);
    return { status: response.status, answer: (await response.json()) as T };
  }

  hold(id: string, cores: number, maxCost: string) {
    const body = { id, application: 'nightly', resources: { cores }, maxCost, leaseSeconds: 600 };
    return this.json<Reservation & { reasons?: Check['reasons'] }>(`${PROJECT}/reservations`, body);
  }

  /** Asks the check until it says so. */
  async check(done: (check: Check) => boolean): Promise<Check> {
    const ask = async () =>
      (await this.json<Check>('/v1/quota-checks', { project: 'team' })).answer;
    return this.#tollgate.until(ask, done, 60_000);
  }

  balance(): Promise<Balance> {
    return this.#tollgate.get<Balance>(`${PROJECT}/balance`);
  }

  reservation(): Promise<Reservation> {
    return this.#tollgate.get<Reservation>(`${PROJECT}/reservations/run-1`);
  }
}

test('a job is held, runs under its reservation, and ends; every limit of its project is told', async () => {
  await using folder = await temporaryFolder();
  const stored = join(folder.path, 'stored');
  await mkdir(stored);
  await writeFile(join(stored, 'part-0'), 'x'.repeat(400));
  const config = {
    metrics: { graphite: [] },
    metering: {
      usagePollMs: 1_000,
      projects: [
        {
          ...{ id: 'team', grants: [{ id: 'g', credits: '100' }] },
          limits: { cores: 20, storedBytes: 1_000, logBytesPerDay: 500 },
          storage: [{ type: 'directory', path: stored }],
        },
      ],
    },
  };
  const tollgate = await RunningTollgate.start(folder.path, config);
  await using resources = new AsyncDisposableStack();
  resources.use(tollgate);
  const asking = new Asking(tollgate);
  const used = (check: Check, kind: string) => check.limits.find((one) => one.kind === kind);
  await asking.check((check) => used(check, 'stored-bytes')?.used === '400');

  assert.equal((await asking.hold('run-1', 10, '50')).status, 201);
  await asking.send(started(Date.now() - 60_000));
  const spending = async () => {
    await asking.send(alive());
    return asking.reservation();
  };
  const running = await tollgate.until(spending, ({ spent }) => Number(spent) > 0, 60_000);
  assert.deepEqual(running.applications, [{ cluster: 'c', id: 'app-1' }]);
  const balance = await asking.balance();
  const [whole, ...parts] = [balance.balance, balance.charged, balance.accrued, balance.reserved];
  assert.ok(parts.reduce((sum, part) => sum + Number(part), 0) - 50 < 1e-9, 'it counts once');
  assert.equal(whole, '50');

  // Sixteen cores run, more than the ten that were held.
  const refused = await asking.hold('run-2', 5, '1');
  assert.equal(refused.status, 403);
  assert.deepEqual(
    refused.answer.reasons?.map(({ code, limit, used }) => [code, limit, used]),
    [['cores-exceeded', '20', '16']],
  );

  await writeFile(join(stored, 'part-1'), 'x'.repeat(700));
  const line = JSON.stringify({ message: 'm'.repeat(600), level: 'INFO', at: Date.now() });
  const logs = await tollgate.post('/v1/ingest/logs', `${line}\n`, { 'tollgate-project': 'team' });
  assert.equal(logs.status, 200, await logs.text());
  const full = await asking.check(({ reasons }) => reasons.length === 2);
  assert.deepEqual(
    full.reasons.map(({ code, limit, used, stale }) => [code, limit, used, stale]),
    [
      ['stored-bytes-exceeded', '1000', '1100', false],
      ['log-bytes-exceeded', '500', '600', false],
    ],
  );

  assert.equal((await asking.json(`${PROJECT}/reservations/run-1/post`, {})).status, 200);
  assert.equal((await asking.balance()).reserved, '0');
  assert.equal(await tollgate.stop(), 0);
  const again = resources.use(await RunningTollgate.start(folder.path, config));
  const after = new Asking(again);
  assert.deepEqual(
    [(await after.reservation()).state, (await after.balance()).reserved],
    ['posted', '0'],
  );
});
