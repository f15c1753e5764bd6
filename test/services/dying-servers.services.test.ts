import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type KillableTollgate, killScenario } from '../support/kill-scenario.ts';
import { type DistributedStores, startDistributedStores } from './support/distributed-stores.ts';
import { startRoles } from './support/start-roles.ts';

let servers: DistributedStores;
before(async () => {
  servers = await startDistributedStores();
});
after(async () => servers?.[Symbol.asyncDispose]());

/** Started once, and never helped: whatever its servers do, it has to come back by itself. */
let running: Promise<KillableTollgate> | undefined;

/** How long a server is gone before it is started again. */
const AWAY_MS = 2_000;

killScenario({
  name: 'each server killed in its turn, on Elasticsearch, InfluxDB and PostgreSQL',
  async start(folder, config) {
    running ??= startRoles(folder, { ...config, stores: servers.stores });
    const all = await running;
    return { ...all, kill: async () => undefined, [Symbol.asyncDispose]: async () => undefined };
  },
  async disturb(round) {
    const { elasticsearch, influxdb, postgresql } = servers;
    const { process } = [elasticsearch, postgresql, influxdb][round % 3] ?? elasticsearch;
    assert.ok(process !== undefined, 'this test kills servers of its own');
    await wait(200);
    await process.kill();
    await wait(AWAY_MS);
    await process.start();
  },
});

after(async () => (await running)?.[Symbol.asyncDispose]());
