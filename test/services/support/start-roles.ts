import type { KillableTollgate } from '../../support/kill-scenario.ts';
import { RunningTollgate } from '../../support/running-tollgate.ts';

/** A process for each role, in folders of their own below `folder`. */
export async function startRoles(folder: string, config: object): Promise<KillableTollgate> {
  await using resources = new AsyncDisposableStack();
  const role = async (name: string): Promise<RunningTollgate> =>
    resources.use(await RunningTollgate.start(folder, config, name));
  const [collect, meter, serve] = await Promise.all([
    role('collect'),
    role('meter'),
    role('serve'),
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
}
