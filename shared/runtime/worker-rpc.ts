import type { Transferable } from 'node:worker_threads';
import { AppError } from '../errors/app-error.ts';
import type { ErrorCode } from '../errors/codes.ts';

type Handler = (...args: never[]) => Promise<unknown>;
export type Handlers = Readonly<Record<string, Handler>>;

/** Both ends of a thread: a MessagePort or a Worker. */
export interface RpcPort {
  postMessage(message: unknown, transfer?: readonly Transferable[]): void;
  on(event: 'message' | 'close' | 'exit', listener: (message: unknown) => void): unknown;
}

interface Call {
  readonly rpc: 'call';
  readonly id: number;
  readonly method: string;
  readonly args: never[];
}

interface Answer {
  readonly rpc: 'answer';
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { code: ErrorCode | undefined; message: string; details: object };
}

function isMessage(message: unknown, kind: 'call' | 'answer'): boolean {
  return (
    typeof message === 'object' && message !== null && 'rpc' in message && message.rpc === kind
  );
}

/** Answers calls from the other thread. AppErrors keep their code and details on the way. */
export function serveRpc(port: RpcPort, handlers: Handlers): void {
  port.on('message', (message: unknown) => {
    if (!isMessage(message, 'call')) return;
    const { id, method, args } = message as Call;
    const run = async (): Promise<unknown> => {
      const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
      if (handler === undefined) throw new Error(`no such method: ${method}`);
      return await handler(...args);
    };
    run().then(
      (value) => port.postMessage({ rpc: 'answer', id, value } satisfies Answer),
      (error: unknown) => {
        const known = error instanceof AppError ? error : undefined;
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        port.postMessage({
          rpc: 'answer',
          id,
          error: {
            code: known?.code,
            message: known?.message ?? text,
            details: known?.details ?? {},
          },
        } satisfies Answer);
      },
    );
  });
}

export interface RpcClient {
  call<T>(method: string, args: readonly unknown[], transfer?: readonly Transferable[]): Promise<T>;
}

/** Calls the other thread. When that thread ends, calls in flight and later ones reject. */
export function connectRpc(port: RpcPort): RpcClient {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(e: unknown): void }>();
  let nextId = 1;
  let ended: AppError | undefined;
  port.on('message', (message: unknown) => {
    if (!isMessage(message, 'answer')) return;
    const { id, value, error } = message as Answer;
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(value);
    else if (error.code === undefined) call?.reject(new Error(error.message));
    else call?.reject(new AppError(error.code, error.message, { details: { ...error.details } }));
  });
  const end = (): void => {
    ended = new AppError('STORE_UNAVAILABLE', 'the worker thread has ended');
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  port.on('exit', end);
  port.on('close', end);
  return {
    call: <T>(method: string, args: readonly unknown[], transfer: readonly Transferable[] = []) =>
      new Promise<T>((resolve, reject) => {
        if (ended !== undefined) return reject(ended);
        const id = nextId++;
        waiting.set(id, { resolve: (value) => resolve(value as T), reject });
        port.postMessage({ rpc: 'call', id, method, args }, [...transfer]);
      }),
  };
}
