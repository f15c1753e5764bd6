import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One answer of EMR: a body, an exception of AWS, or what isn't JSON. */
export type EmrSaid =
  | { readonly json: unknown }
  | { readonly exception: string; readonly message?: string; readonly status?: number }
  | { readonly page: string; readonly status: number }
  | { readonly silent: true };

interface Call {
  readonly target: string;
  readonly body: Record<string, unknown>;
  readonly authorization: string;
}

/**
 * EMR's JSON 1.1 protocol on 127.0.0.1 with set answers by action, for what moto doesn't do:
 * throttling, pages, cancelled steps, lost answers. Credentials come from the environment.
 */
export class EmrEndpoint implements AsyncDisposable {
  readonly answers = new Map<string, EmrSaid | ((body: Record<string, unknown>) => EmrSaid)>();
  readonly calls: Call[] = [];
  readonly #server = createServer((request, response) => {
    void text(request).then((body) => {
      const target = String(request.headers['x-amz-target']).replace('ElasticMapReduce.', '');
      const call = { target, body: JSON.parse(body), authorization: '' };
      this.calls.push({ ...call, authorization: request.headers.authorization ?? '' });
      const set = this.answers.get(target);
      const said: EmrSaid = (typeof set === 'function' ? set(call.body) : set) ?? {
        exception: 'InvalidRequestException',
        message: 'no answer is set',
      };
      if ('silent' in said) return;
      const headers = { 'content-type': 'application/x-amz-json-1.1' };
      if ('json' in said) response.writeHead(200, headers).end(JSON.stringify(said.json));
      else if ('page' in said) response.writeHead(said.status).end(said.page);
      else {
        const { exception, message = '', status = 400 } = said;
        const error = JSON.stringify({ __type: exception, message, Message: message });
        response.writeHead(status, headers).end(error);
      }
    });
  });

  static async open(): Promise<EmrEndpoint> {
    process.env['AWS_ACCESS_KEY_ID'] = 'AKIDTEST';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'secret-of-the-test';
    const endpoint = new EmrEndpoint();
    endpoint.#server.listen(0, '127.0.0.1');
    await once(endpoint.#server, 'listening');
    return endpoint;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  targets(): string[] {
    return this.calls.map(({ target }) => target);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
