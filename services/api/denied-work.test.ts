import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EnforcementAction } from '../../shared/contracts/action.ts';
import { restQuotaCheck } from '../../shared/contracts/rest.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { askingApi } from '../../test/support/asking-api.ts';
import { anAction } from '../../test/support/enforcement-builders.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { DeniedWork } from './denied-work.ts';

const denial: Partial<EnforcementAction> = {
  ...{ level: 'deny-new-work', means: 'admission', state: 'verified' },
};

async function world() {
  const clock = new FakeClock();
  const seen = { on: true, fails: false, actions: [anAction(denial)] };
  const audit = { id: 's', by: 'ada', why: 'w', at: 0 };
  const store = {
    open: () =>
      seen.fails
        ? Promise.reject(new AppError('STORE_UNAVAILABLE', 'gone'))
        : Promise.resolve(seen.actions),
    globalSwitch: () => Promise.resolve({ ...audit, on: seen.on }),
  };
  const denied = await DeniedWork.open({ store, clock, logger: silentLogger });
  return { clock, seen, denied, [Symbol.asyncDispose]: () => denied[Symbol.asyncDispose]() };
}

test('a project is denied new work by a standing denial of admission, and by nothing else', async () => {
  await using there = await world();
  assert.match(there.denied.of('etl') ?? '', /etl gets no new work in: policy runaway/);
  assert.equal(there.denied.of('ads'), undefined);
  for (const other of [
    { level: 'kill' },
    { means: 'manager' },
    { state: 'announced' },
    { state: 'reversed' },
  ] as const) {
    there.seen.actions = [anAction({ ...denial, ...other })];
    await there.clock.advance(2_000);
    assert.equal(there.denied.of('etl'), undefined, JSON.stringify(other));
  }
});

test('nobody is denied while enforcement is off; a store that is away changes nothing', async () => {
  await using there = await world();
  there.seen.fails = true;
  there.seen.actions = [];
  await there.clock.advance(2_000);
  assert.ok(there.denied.of('etl'), 'as it was read last');
  there.seen.fails = false;
  await there.clock.advance(2_000);
  assert.equal(there.denied.of('etl'), undefined);
  there.seen.actions = [anAction(denial)];
  await there.clock.advance(2_000);
  assert.ok(there.denied.of('etl'));
  there.seen.on = false;
  await there.clock.advance(2_000);
  assert.equal(there.denied.of('etl'), undefined);
});

test('a denied project gets no job in and no hold; one that was held before is told again', async () => {
  const why = new Map<string, string>();
  await using api = await askingApi({ deps: { deniedWork: (project) => why.get(project) } });
  const grant = { project: 'etl' as ProjectId, id: 'g1', amount: 10n ** 12n, reason: 'test' };
  await api.stores.grants.grant({ ...grant, grantedAt: 0 });
  const check = () => api.postOk('/v1/quota-checks', { project: 'etl' }, restQuotaCheck);
  const hold = (id: string) =>
    api.post('/v1/projects/etl/reservations', {
      ...{ id, application: 'nightly', maxCost: '1', leaseSeconds: 60 },
    });
  assert.equal((await check()).allowed, true);
  assert.equal((await hold('r1')).status, 201);
  why.set('etl', 'project etl gets no new work in: policy quota');
  const refused = await check();
  assert.deepEqual([refused.allowed, refused.reason], [false, 'denied']);
  assert.match(refused.message, /policy quota/);
  assert.equal((await api.problem(hold('r2'))).code, 'QUOTA_EXCEEDED');
  assert.equal((await hold('r1')).status, 201, 'it was held before');
});
