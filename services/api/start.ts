import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError } from '../../shared/errors/app-error.ts';
import type { ApiDeps } from './api-deps.ts';
import type { ApiConfig } from './config.ts';
import { type AppParts, createListener } from './http/create-listener.ts';

export type { ApiDeps, ClusterInfo } from './api-deps.ts';
export type { AppParts } from './http/create-listener.ts';

/** A client that sends its headers or body slower than this is cut off. */
const REQUEST_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 15_000;

export interface Api extends AsyncDisposable {
  readonly url: string;
}

/** @throws AppError PORT_TAKEN or CONFIG_INVALID, naming the option that changes port or host */
export async function startApi(
  config: Pick<ApiConfig, 'host' | 'port'> & Partial<Pick<ApiConfig, 'hostNames'>>,
  deps: ApiDeps,
  parts: AppParts,
): Promise<Api> {
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS },
    createListener(deps, { ...parts, host: config.host, hostNames: config.hostNames ?? [] }),
  );
  try {
    server.listen(config.port, config.host);
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new AppError(
        'CONFIG_INVALID',
        `${config.host} is no address of this machine; choose another as api.host in tollgate.yaml`,
        { cause: error },
      );
    }
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    throw new AppError(
      'PORT_TAKEN',
      `port ${config.port} on ${config.host} is ${code === 'EACCES' ? 'not allowed' : 'taken'}; ` +
        'choose another with --port, or api.port in tollgate.yaml',
      { cause: error },
    );
  }
  const { port } = server.address() as AddressInfo;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return {
    url: `http://${host}:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      // A connection whose answer is still under way closes after it, instead of waiting for more.
      server.keepAliveTimeout = 1;
      server.keepAliveTimeoutBuffer = 0;
      const timer = setTimeout(() => server.closeAllConnections(), 5_000);
      await closed;
      clearTimeout(timer);
    },
  };
}
