import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Python, because a socket's buffer can be made small there: by itself a kernel takes megabytes for
 * a process that never reads.
 */
const SCRIPT = `
import socket, time
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
server.bind(("127.0.0.1", 0))
server.listen(8)
print(server.getsockname()[1], flush=True)
taken = []
while True:
    taken.append(server.accept())
    print("taken", flush=True)
`;

export interface SilentListener extends AsyncDisposable {
  readonly port: number;
  /** Connections so far. */
  taken(): number;
}

/** A process that takes connections and never reads a byte of them. */
export async function startSilentListener(): Promise<SilentListener> {
  const args = ['--pdeathsig', 'KILL', 'python3', '-c', SCRIPT];
  const child = spawn('setpriv', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  while (!output.includes('\n')) await once(child.stdout, 'data');
  return {
    port: Number.parseInt(output, 10),
    taken: () => output.match(/taken/g)?.length ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
