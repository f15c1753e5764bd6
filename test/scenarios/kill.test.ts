import { killScenario } from '../support/kill-scenario.ts';
import { RunningTollgate } from '../support/running-tollgate.ts';

killScenario({
  name: 'one process on SQLite',
  async start(folder, config) {
    const tollgate = await RunningTollgate.start(folder, config);
    return {
      collect: tollgate,
      serve: tollgate,
      kill: () => tollgate.kill(),
      stop: async () => [await tollgate.stop()],
      [Symbol.asyncDispose]: () => tollgate[Symbol.asyncDispose](),
    };
  },
});
