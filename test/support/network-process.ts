// A TCP proxy for each route that its parent names, as a process: stopped or killed, it is a network
// that answers nobody or refuses everybody.
import { connect, createServer } from 'node:net';

export interface NetworkSpec {
  readonly routes: readonly { readonly port: number; readonly target: number }[];
  /** Connections that wait to be accepted at each port. */
  readonly backlog: number;
}

const HOST = '127.0.0.1';
const { routes, backlog } = JSON.parse(process.argv[2] ?? '') as NetworkSpec;
for (const { port, target } of routes) {
  const server = createServer((from) => {
    const to = connect({ host: HOST, port: target });
    from.on('error', () => to.destroy()).once('close', () => to.destroy());
    to.on('error', () => from.destroy()).once('close', () => from.destroy());
    from.pipe(to).pipe(from);
  });
  server.listen({ port, host: HOST, backlog });
}
