import type { Socket } from 'node:net';
import type { TlsFiles } from '../../../shared/config/listener-door.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import { openTcpServer } from './tcp-server.ts';

/** One accepted connection. Its number and the order of its bytes are all the identity TCP gives. */
export interface TcpConnection {
  /** Counted from 1 within this listener. */
  readonly id: number;
  readonly remote: string;
  /**
   * What was sent, in large pieces that are cut anywhere. The socket is read only as fast as this
   * is consumed, so a slow consumer holds the sender back. Ends when the peer ends, breaks, falls
   * silent for too long, or the listener is disposed.
   */
  readonly chunks: AsyncIterable<Buffer>;
}

export interface TcpInputOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Files of its certificate; without them it speaks plain text. */
  readonly tls?: TlsFiles;
  /** Plain text where other machines reach it, which is refused without this. */
  readonly insecure?: boolean;
  /** Paces the look at renewed certificates. */
  readonly clock: Clock;
  /** Name in log lines, counters and errors, such as `logs` or `graphite`. */
  readonly name: string;
  /** What is buffered of one connection before its socket is paused. */
  readonly bufferBytes?: number;
  readonly maxConnections?: number;
  /** A connection without a byte for this long is closed; 0 keeps it. */
  readonly idleTimeoutMs?: number;
  /** Consumes `connection.chunks`; the connection is closed when it returns or throws. */
  readonly onConnection: (connection: TcpConnection) => Promise<void>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface TcpInput extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

const BUFFER_BYTES = 1 << 20;
const MAX_CONNECTIONS = 2_000;

/** Reads what has arrived, over and over, and after `stop` only what is there already. */
async function* readSocket(socket: Socket, stop: AbortSignal): AsyncGenerator<Buffer> {
  let wake = (): void => {};
  let over = false;
  const finish = (): void => {
    over = true;
    wake();
  };
  const notify = (): void => wake();
  socket.on('readable', notify);
  socket.on('end', finish);
  socket.on('close', finish);
  socket.on('timeout', finish);
  stop.addEventListener('abort', notify, { once: true });
  try {
    let emptyTurns = 0;
    for (;;) {
      const chunk = socket.read() as Buffer | null;
      if (chunk !== null) {
        emptyTurns = 0;
        yield chunk;
        continue;
      }
      if (over) return;
      if (stop.aborted) {
        // Two turns of the event loop hand over what the kernel holds; after that nothing was sent.
        if (emptyTurns === 2) return;
        emptyTurns += 1;
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    stop.removeEventListener('abort', notify);
    socket.destroy();
  }
}

/** Listens, and hands each connection to `onConnection`. Disposing waits until all of them have returned. */
export async function listenTcp(options: TcpInputOptions): Promise<TcpInput> {
  const { name, logger, metrics } = options;
  const opened = metrics.counter(
    'tollgate_tcp_connections_total',
    'Connections accepted, by input.',
  );
  const read = metrics.counter('tollgate_tcp_bytes_total', 'Bytes read from TCP, by input.');
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  let connections = 0;

  async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      read({ input: name }, chunk.length);
      yield chunk;
    }
  }
  async function serve(socket: Socket): Promise<void> {
    connections += 1;
    const id = connections;
    const remote = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    opened({ input: name });
    socket.setKeepAlive(true, 60_000);
    if (options.idleTimeoutMs !== undefined) socket.setTimeout(options.idleTimeoutMs);
    socket.on('error', (error) => {
      logger.info({ input: name, remote, error: error.message }, 'connection broke');
    });
    const chunks = counted(readSocket(socket, stop.signal));
    try {
      await options.onConnection({ id, remote, chunks });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      logger.error({ input: name, remote, error: message }, 'connection given up');
    } finally {
      socket.destroy();
    }
  }

  const server = await openTcpServer({
    host: options.host,
    port: options.port,
    name,
    tls: options.tls,
    insecure: options.insecure ?? false,
    bufferBytes: options.bufferBytes ?? BUFFER_BYTES,
    maxConnections: options.maxConnections ?? MAX_CONNECTIONS,
    logger,
    clock: options.clock,
    onSocket: (socket) => {
      const served = serve(socket).finally(() => running.delete(served));
      running.add(served);
    },
  });
  const { address, port } = server.address;
  return {
    host: address,
    port,
    async [Symbol.asyncDispose]() {
      server.stop();
      stop.abort();
      await Promise.all(running);
      await server.closed();
    },
  };
}
