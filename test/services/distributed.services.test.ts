import { after, before } from 'node:test';
import { killScenario } from '../support/kill-scenario.ts';
import { type DistributedStores, startDistributedStores } from './support/distributed-stores.ts';
import { startRoles } from './support/start-roles.ts';

let servers: DistributedStores;
before(async () => {
  servers = await startDistributedStores();
});
after(async () => servers?.[Symbol.asyncDispose]());

killScenario({
  name: 'a process for each role, on Elasticsearch, InfluxDB and PostgreSQL',
  start: (folder, config) => startRoles(folder, { ...config, stores: servers.stores }),
});
