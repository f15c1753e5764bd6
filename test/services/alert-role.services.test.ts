import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HookServer } from '../support/hook-server.ts';
import { CREDITS_RULE, pagingConfig, useCredits } from '../support/paging-tollgate.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { type DistributedStores, startDistributedStores } from './support/distributed-stores.ts';

/** Another evaluator goes on within this (issue of the alerter); three times that is asserted. */
const TAKEOVER_MS = 30_000;

let servers: DistributedStores;
before(async () => {
  servers = await startDistributedStores();
});
after(async () => servers?.[Symbol.asyncDispose]());

const isActive = async ({ url }: RunningTollgate): Promise<boolean> =>
  /^tollgate_alert_evaluator_active(\{\})? 1$/m.test(await (await fetch(`${url}/metrics`)).text());

test('of two alerters one works; killed, the other goes on, and each alert is paged once', async (t) => {
  await using folder = await temporaryFolder();
  await using hook = await HookServer.open();
  const rules = join(folder.path, 'rules.yaml');
  await writeFile(rules, CREDITS_RULE);
  const config = pagingConfig(rules, hook, { stores: servers.stores });
  await using collect = await RunningTollgate.start(folder.path, config, 'collect');
  await using _meter = await RunningTollgate.start(folder.path, config, 'meter');
  for (const name of ['a', 'b']) await mkdir(join(folder.path, name));
  await using a = await RunningTollgate.start(join(folder.path, 'a'), config, 'alert');
  await using b = await RunningTollgate.start(join(folder.path, 'b'), config, 'alert');
  const told = async (): Promise<string> => JSON.stringify(hook.bodies);
  const pagesOf = (project: string): number =>
    hook.requests.filter(({ body }) => body.includes(`${project} has used`)).length;

  await useCredits(collect, 'etl');
  await collect.until(told, (said) => said.includes('etl has used'), 60_000);
  const active = await Promise.all([a, b].map(isActive));
  assert.deepEqual([...active].sort(), [false, true], 'one evaluates');
  const [leader, other] = active[0] === true ? [a, b] : [b, a];

  await leader.kill();
  const killedAt = performance.now();
  await useCredits(collect, 'ads');
  await collect.until(told, (said) => said.includes('ads has used'), 3 * TAKEOVER_MS);
  const took = performance.now() - killedAt;
  t.diagnostic(`the other paged ${Math.round(took)} ms after the kill (stated: ${TAKEOVER_MS})`);
  assert.ok(await isActive(other));
  assert.deepEqual([pagesOf('etl'), pagesOf('ads')], [1, 1]);
});
