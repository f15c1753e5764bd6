import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../../shared/errors/assert.ts';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import {
  aLook,
  anApplication,
  aPlanInput,
  firingAlert,
  NOW,
} from '../../../test/support/enforcement-builders.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { runningApi } from '../../../test/support/running-api.ts';
import { actionId } from '../../alerter/enforce/action-identity.ts';
import { freezeInput } from '../../alerter/enforce/freeze-input.ts';
import { planEnforcement } from '../../alerter/enforce/plan/plan-enforcement.ts';
import { enforceCommand } from './enforce-command.ts';

async function withEnforcement() {
  const api = await runningApi();
  let made = 0;
  const random = (n: number) => {
    made += 1;
    return Buffer.alloc(n, made);
  };
  const run = (...words: readonly string[]) =>
    runCommand(
      (io) => enforceCommand(io, random, () => api.clock.now()),
      ['enforce', ...words, '--url', api.url],
    );
  return { api, run };
}

test('enforce tells that it observes, and lets a level act with a reason', async () => {
  const { api, run } = await withEnforcement();
  await using _ = api;
  assert.match((await run('status')).out, /switch: on\n\n.*\nquota +notify +observes/);
  const without = await run('level', 'quota', 'notify', 'acts');
  assert.match(without.err, /--reason/);
  assert.equal((await run('level', 'quota', 'notify', 'acts', '--reason', 'agreed')).exitCode, 0);
  assert.match((await run('status')).out, /quota +notify +acts/);
  assert.match((await run('level', 'quota', 'kill', 'maybe', '--reason', 'x')).err, /neither acts/);
});

test('enforce off stops everything, and status says who stopped it why', async () => {
  const { api, run } = await withEnforcement();
  await using _ = api;
  assert.match((await run('off', '--reason', 'incident 4711')).out, /off, from its next tick/);
  assert.match((await run('status')).out, /OFF since .*: incident 4711/);
  await run('on', '--reason', 'over');
  assert.match((await run('status')).out, /switch: on/);
});

test('an exemption is made for a time', async () => {
  const { api, run } = await withEnforcement();
  await using _ = api;
  const what = ['-p', 'etl', '--workload', 'nightly', '--owner', 'ana', '--reason', 'year end'];
  assert.equal((await run('exempt', ...what, '--for', '2h')).exitCode, 0);
  const [made] = await api.alertStores.enforcement.exemptions(api.clock.now());
  assert.equal(made?.expiresAt, api.clock.now() + 2 * HOUR_MS);
  assert.match((await run('status')).out, /etl +any +nightly +ana/);
});

test('an action is explained: its history, and its evidence, which leads to it again', async () => {
  const { api, run } = await withEnforcement();
  await using _ = api;
  const { enforcement, leases } = api.alertStores;
  const lease = must(await leases.acquire('alerter/enforce', 'test', 60_000), 'free');
  assert.match((await run('actions')).out, /nothing was decided yet/);
  const input = aPlanInput({
    applications: [anApplication()],
    alerts: [firingAlert()],
    clusters: [aLook({ live: 50 })],
  });
  const proposal = must(planEnforcement(input).propose[0], 'one');
  const id = actionId(proposal, NOW);
  const made = { ...proposal, id, proposedAt: NOW, proposedSteadyMs: 0 };
  await enforcement.propose([{ ...made, frozen: freezeInput(input, proposal) }], lease);
  assert.match((await run('actions')).out, new RegExp(`proposed +${proposal.level} .*${id}`));
  const explained = await run('explain', id);
  assert.match(explained.out, /1 +\S+ +proposed +[0-9a-f]{16}\n\ndecided again .* the same\n/);
  assert.match(explained.out, /the chain is whole: 1 entries/);
  assert.equal(explained.exitCode, 0);
  const calm = freezeInput({ ...input, alerts: [firingAlert({ breaches: 1 })] }, proposal);
  const other = { ...made, id: `act-${'c'.repeat(32)}`, frozen: calm };
  await enforcement.propose([other], lease);
  const wrong = await run('explain', other.id);
  assert.match(wrong.out, /COMES OUT OTHERWISE/);
  assert.equal(wrong.exitCode, 1);
  assert.match((await run('release', '--reason', 'looked')).out, /was not on/);
  const early = await run('resolve', id, '--outcome', 'failed', '--reason', 'looked');
  assert.notEqual(early.exitCode, 0);
});
