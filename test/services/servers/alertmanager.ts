import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/running-tollgate.ts';
import { runInstaller } from './install-once.ts';
import { giveToNobody, ServerProcess } from './server-process.ts';

const COMMAND = 'prometheus-alertmanager';

export interface RunningAlertmanager extends AsyncDisposable {
  readonly url: URL;
  readonly process: ServerProcess;
}

/** Debian's Alertmanager, which tells a webhook of what it is told. */
export async function startAlertmanager(hook: URL): Promise<RunningAlertmanager> {
  await runInstaller(COMMAND, ['--version'], { cwd: '/' });
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-alertmanager-'));
  const file = join(folder, 'alertmanager.yml');
  await writeFile(
    file,
    `route: { receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 1s }
receivers: [{ name: hook, webhook_configs: [{ url: '${hook.href}', send_resolved: true }] }]
`,
  );
  giveToNobody(folder);
  giveToNobody(file);
  const url = new URL(`http://127.0.0.1:${await freePort()}/`);
  const process = await ServerProcess.start({
    name: 'Alertmanager',
    command: COMMAND,
    args: [
      `--config.file=${file}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=${url.host}`,
      '--cluster.listen-address=',
    ],
    unprivileged: true,
    stopSignal: 'SIGTERM',
    ready: async () => (await fetch(new URL('/-/ready', url))).ok,
  });
  return {
    url,
    process,
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
