import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Platform } from '../platform/platform.ts';
import { standaloneAnswer } from './standalone-answers.ts';
import { yarnAnswer } from './yarn-answers.ts';

export interface RestServer extends AsyncDisposable {
  readonly url: string;
}

type Answer = (path: string, origin: string) => object | undefined;

async function listen(answer: Answer): Promise<RestServer> {
  const server = createServer((request, response) => {
    const origin = `http://${request.headers.host ?? '127.0.0.1'}`;
    const path = new URL(request.url ?? '/', origin).pathname;
    const found = answer(path, origin);
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? { RemoteException: { exception: 'NotFoundException' } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Serves the REST answers of a ResourceManager for the platform's YARN cluster. */
export function startYarnRest(platform: Platform): Promise<RestServer> {
  return listen((path) => yarnAnswer(platform, path));
}

/** Serves the /json/ answers of a master and its workers for the platform's standalone cluster. */
export function startStandaloneRest(platform: Platform): Promise<RestServer> {
  return listen((path, origin) => standaloneAnswer(platform, path, origin));
}
