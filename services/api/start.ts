import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { hostname } from 'node:os';
import { doorProblem, speaksTls } from '../../shared/config/listener-door.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import { followServerTls, readServerTls } from '../../shared/runtime/server-tls.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { ApiDeps, OperationDeps } from './api-deps.ts';
import type { ApiConfig } from './config.ts';
import { DeniedWork, type DeniedWorkDeps } from './denied-work.ts';
import { type AppParts, createListener, type ServedRoutes } from './http/create-listener.ts';
import { Doors, type DoorsOptions } from './http/doors.ts';
import { quarantineEndpoints } from './routes/quarantine.ts';
import { statusEndpoints } from './routes/status.ts';

export type { ApiDeps, ClusterInfo } from './api-deps.ts';
export type { AppParts } from './http/create-listener.ts';
export type { Doors } from './http/doors.ts';

/** A client that sends its headers or body slower than this is cut off. */
const REQUEST_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 15_000;

export interface Api extends AsyncDisposable {
  readonly url: string;
  /** Makes who opens it an administrator, once, within the hour; undefined where one has a token. */
  readonly adminLink: string | undefined;
}

type ListenerConfig = Pick<ApiConfig, 'host' | 'port'> &
  Partial<Pick<ApiConfig, 'hostNames' | 'tls' | 'insecure' | 'hstsMaxAgeSeconds'>>;

/** @throws AppError when the store of tokens doesn't answer */
export function openDoors(
  config: Pick<ApiConfig, 'host'> & Partial<Pick<ApiConfig, 'tls' | 'requireToken'>>,
  deps: Pick<DoorsOptions, 'store' | 'clock' | 'random' | 'logger' | 'metrics'>,
): Promise<Doors> {
  const { host, requireToken = false } = config;
  return Doors.open({ ...deps, host, requireToken, isSecure: speaksTls(config) });
}

/** @throws AppError CONFIG_INVALID for plain text that other machines reach */
function checkDoor(config: ListenerConfig): void {
  const { host, insecure = false, tls } = config;
  const problem = doorProblem({ host, insecure, ...(tls === undefined ? {} : { tls }) });
  if (problem === undefined) return;
  throw new AppError('CONFIG_INVALID', `api.${problem.path.join('.')} ${problem.message}`);
}

interface OpenServer extends AsyncDisposable {
  readonly server: Server;
}

/** The server, not listening yet; disposing it ends the look at its certificate. */
async function createHttpServer(
  { tls }: ListenerConfig,
  listener: RequestListener,
  deps: { readonly clock: Clock; readonly logger: Logger },
): Promise<OpenServer> {
  const limits = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS };
  if (tls === undefined || !speaksTls({ tls })) {
    return { server: createServer(limits, listener), async [Symbol.asyncDispose]() {} };
  }
  const files = { files: tls, name: 'api' };
  const first = await readServerTls(files);
  const server = createTlsServer({ ...limits, ...first }, listener);
  server.on('tlsClientError', (error, { remoteAddress }) => {
    deps.logger.info({ remote: remoteAddress, error: error.message }, 'TLS refused');
  });
  const following = followServerTls(server, first, { ...files, ...deps });
  return { server, [Symbol.asyncDispose]: () => following[Symbol.asyncDispose]() };
}

/** @throws AppError PORT_TAKEN or CONFIG_INVALID */
async function bind(server: Server, { host, port }: ListenerConfig): Promise<number> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new AppError(
        'CONFIG_INVALID',
        `${host} is no address of this machine; choose another as api.host in tollgate.yaml`,
        { cause: error },
      );
    }
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    throw new AppError(
      'PORT_TAKEN',
      `port ${port} on ${host} is ${code === 'EACCES' ? 'not allowed' : 'taken'}; ` +
        'choose another with --port, or api.port in tollgate.yaml',
      { cause: error },
    );
  }
  return (server.address() as AddressInfo).port;
}

/** A wildcard is no address that a browser can open. */
function reachableHost(host: string): string {
  if (['', '0.0.0.0', '::', '[::]'].includes(host)) return hostname();
  return host.includes(':') ? `[${host}]` : host;
}

/** Answers are finished, for at most 5 s; what is idle or still in its handshake is cut. */
async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  // A connection whose answer is still under way closes after it, instead of waiting for more.
  server.keepAliveTimeout = 1;
  server.keepAliveTimeoutBuffer = 0;
  const timer = setTimeout(() => {
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  }, 5_000);
  await closed;
  clearTimeout(timer);
}

/** For the API's `deniedWork`. @throws AppError when the store can't be read */
export function openDeniedWork(deps: DeniedWorkDeps): Promise<DeniedWork> {
  return DeniedWork.open(deps);
}

/** The whole API, or what belongs to a process that only collects or meters. */
async function servedRoutes(deps: ApiDeps | OperationDeps): Promise<ServedRoutes> {
  if (!('ledger' in deps)) {
    return {
      endpoints: [...statusEndpoints(deps), ...quarantineEndpoints(deps)],
      quotaCheck: undefined,
    };
  }
  const [{ allEndpoints }, { quotaCheckHandler }] = await Promise.all([
    import('./http/all-endpoints.ts'),
    import('./routes/quota-checks.ts'),
  ]);
  return {
    endpoints: allEndpoints(deps),
    quotaCheck: (count) => quotaCheckHandler(deps, count),
  };
}

/**
 * @throws AppError PORT_TAKEN or CONFIG_INVALID, naming the option that changes port, host or
 * certificate
 */
export async function startApi(
  config: ListenerConfig,
  deps: ApiDeps | OperationDeps,
  parts: AppParts,
): Promise<Api> {
  checkDoor(config);
  const { host, hostNames = [], hstsMaxAgeSeconds = 0 } = config;
  const listening = { ...parts, host, hostNames, hstsMaxAgeSeconds };
  const listener = createListener(deps, listening, await servedRoutes(deps));
  await using resources = new AsyncDisposableStack();
  const opened = resources.use(
    await createHttpServer(config, listener, { clock: deps.clock, logger: parts.logger }),
  );
  const { server } = opened;
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await bind(server, config);
  const scheme = speaksTls(config) ? 'https' : 'http';
  const { adminLink } = parts.doors;
  const open = resources.move();
  return {
    url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    adminLink:
      adminLink === undefined
        ? undefined
        : `${scheme}://${reachableHost(host)}:${port}/#admin-link=${adminLink}`,
    async [Symbol.asyncDispose]() {
      await close(server, sockets);
      await open.disposeAsync();
    },
  };
}
