import { createServer } from 'node:net';
import { join } from 'node:path';
import { installOnce, runInstaller } from './install-once.ts';
import { ServerProcess } from './server-process.ts';

const VERSION = '5.2.5';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** moto, which plays AWS over its own wire formats, from the package index in an environment of its own. */
export async function startMoto(): Promise<{ readonly url: string } & AsyncDisposable> {
  const folder = await installOnce(`moto-${VERSION}`, async (part) => {
    await runInstaller('python3', ['-m', 'venv', part], { cwd: '/' });
    const pip = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check'];
    await runInstaller(join(part, 'bin/python'), [...pip, `moto[server]==${VERSION}`], {
      cwd: '/',
    });
  });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = await ServerProcess.start({
    name: 'moto',
    // The script in bin names the folder that it was installed in before it was renamed.
    command: join(folder, 'bin/python'),
    args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
    stopSignal: 'SIGTERM',
    ready: async () => (await fetch(`${url}/moto-api/data.json`)).ok,
  });
  return { url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
