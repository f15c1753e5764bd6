import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { doorProblem, speaksTls, type TlsFiles } from '../../../shared/config/listener-door.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import { followServerTls, readServerTls } from '../../../shared/runtime/server-tls.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';

export interface TcpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly tls: TlsFiles | undefined;
  readonly insecure: boolean;
  readonly bufferBytes: number;
  readonly maxConnections: number;
  readonly logger: Logger;
  readonly clock: Clock;
  /** A connection, behind its TLS handshake where there is one. */
  readonly onSocket: (socket: Socket) => void;
}

export interface TcpServer {
  readonly address: AddressInfo;
  /** Takes no further connections. */
  stop(): void;
  /** Resolves when every connection is closed; those still in their handshake are cut. */
  closed(): Promise<void>;
}

async function bind(server: Server, options: TcpServerOptions): Promise<AddressInfo> {
  server.listen(options.port, options.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw new AppError(
      taken ? 'PORT_TAKEN' : 'INPUT_UNREADABLE',
      `${options.name}: cannot listen on ${options.host}:${options.port}` +
        (taken ? ': the port is taken; choose another one for this input' : ''),
      { cause: error },
    );
  }
  return server.address() as AddressInfo;
}

/**
 * A bound listener, with or without TLS.
 *
 * @throws AppError CONFIG_INVALID (plain text beyond loopback, files), PORT_TAKEN, INPUT_UNREADABLE
 */
export async function openTcpServer(options: TcpServerOptions): Promise<TcpServer> {
  const { name, tls, logger, onSocket } = options;
  const problem = doorProblem(
    tls === undefined ? { host: options.host, insecure: options.insecure } : { ...options, tls },
  );
  if (problem !== undefined) {
    const path = problem.path.join('.');
    const message = `${name}: ${path} of ${options.host}:${options.port} ${problem.message}`;
    throw new AppError('CONFIG_INVALID', message);
  }
  const plain = { highWaterMark: options.bufferBytes, noDelay: true };
  const open = new Set<Socket>();
  let server: Server;
  let follow: AsyncDisposable | undefined;
  if (tls !== undefined && speaksTls({ tls })) {
    const deps = { files: tls, name, clock: options.clock, logger };
    const first = await readServerTls(deps);
    const secure = createTlsServer({ ...plain, ...first }, onSocket);
    secure.on('tlsClientError', (error, { remoteAddress }) => {
      logger.info({ input: name, remote: remoteAddress, error: error.message }, 'TLS refused');
    });
    follow = followServerTls(secure, first, deps);
    server = secure;
  } else server = createServer(plain, onSocket);
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.maxConnections = options.maxConnections;
  try {
    const address = await bind(server, options);
    server.on('error', (error) => logger.error({ input: name, error: error.message }, 'listener'));
    const closed = once(server, 'close');
    return {
      address,
      stop: () => server.close(),
      async closed() {
        for (const socket of open) socket.destroy();
        await Promise.all([closed, follow?.[Symbol.asyncDispose]()]);
      },
    };
  } catch (error) {
    await follow?.[Symbol.asyncDispose]();
    throw error;
  }
}
