import { after, before } from 'node:test';
import { killScenario } from '../support/kill-scenario.ts';
import { RunningTollgate } from '../support/running-tollgate.ts';
import { type DistributedStores, startDistributedStores } from './support/distributed-stores.ts';

let servers: DistributedStores;
before(async () => {
  servers = await startDistributedStores();
});
after(async () => servers?.[Symbol.asyncDispose]());

killScenario({
  name: 'a process for each role, on Elasticsearch, InfluxDB and PostgreSQL',
  async start(folder, config) {
    const { stores } = servers;
    await using resources = new AsyncDisposableStack();
    const start = async (role: string): Promise<RunningTollgate> =>
      resources.use(await RunningTollgate.start(folder, { ...config, stores }, role));
    const [collect, meter, serve] = await Promise.all([
      start('collect'),
      start('meter'),
      start('serve'),
    ]);
    const all = [collect, meter, serve];
    const open = resources.move();
    return {
      ...{ collect, serve },
      async kill(draw) {
        await all[Math.floor(draw * all.length)]?.kill();
      },
      stop: () => Promise.all(all.map((one) => one.stop())),
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    };
  },
});
