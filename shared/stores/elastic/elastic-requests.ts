import { type Client, errors } from '@elastic/elasticsearch';
import { AppError } from '../../errors/app-error.ts';

export interface ElasticRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Lines of JSON, each with its line feed. */
  readonly lines?: string;
}

/** What the server said, whatever the status. */
export interface ElasticAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** The cause in an answer of an error: `index_not_found_exception: no such index [x]`. */
export function causeIn(body: unknown): { readonly type: string; readonly reason: string } {
  const error = (body as { error?: unknown } | null | undefined)?.error;
  if (typeof error === 'string') return { type: '', reason: error.slice(0, 300) };
  const { type, reason } = (error ?? {}) as { type?: unknown; reason?: unknown };
  return {
    type: typeof type === 'string' ? type : '',
    reason: typeof reason === 'string' ? reason.slice(0, 300) : '',
  };
}

const CERTIFICATE = /certificate|self.signed|unable to verify|altname|CERT_/i;
const WRONG_PROTOCOL = /wrong version number|EPROTO|Parse Error|HPE_|other side closed/i;

/** Sends requests through the client, and says in our words when there was no answer. */
export class ElasticRequests {
  readonly #client: Client;
  readonly url: string;

  /** @param url for messages; holds no credentials */
  constructor(client: Client, url: string) {
    this.#client = client;
    this.url = url;
  }

  /**
   * @throws AppError STORE_UNAVAILABLE without an answer; STORE_MISCONFIGURED when it can't become
   *   one: a certificate that isn't trusted, a server that isn't Elasticsearch
   */
  async send(request: ElasticRequest): Promise<ElasticAnswer> {
    const { method, path, query, body, lines } = request;
    try {
      const answer = await this.#client.transport.request(
        {
          method,
          path,
          ...(query === undefined ? {} : { querystring: { ...query } }),
          ...(body === undefined ? {} : { body }),
          ...(lines === undefined ? {} : { bulkBody: lines }),
        },
        { meta: true },
      );
      return { status: answer.statusCode ?? 0, body: answer.body };
    } catch (error) {
      if (error instanceof errors.ResponseError) {
        return { status: error.statusCode ?? 0, body: error.body };
      }
      throw this.#noAnswer(error, `${method} ${path.slice(0, 100)}`);
    }
  }

  #noAnswer(error: unknown, doing: string): unknown {
    if (!(error instanceof errors.ElasticsearchClientError)) return error;
    const said = error.message.replace(/\s+/g, ' ').trim().slice(0, 300);
    if (error instanceof errors.ProductNotSupportedError) {
      return this.#wrong('answers, and is no Elasticsearch; correct the url', error);
    }
    if (error instanceof errors.ConnectionError && CERTIFICATE.test(said)) {
      return this.#wrong(
        `shows a certificate that is not trusted (${said}); set caFile to the PEM file of its authority`,
        error,
      );
    }
    const hint = WRONG_PROTOCOL.test(said) ? '; is it http or https?' : '';
    return new AppError(
      'STORE_UNAVAILABLE',
      `Elasticsearch at ${this.url} gave no answer to ${doing} (${error.name}: ${said})${hint}`,
      { cause: error },
    );
  }

  #wrong(what: string, cause: unknown): AppError {
    return new AppError('STORE_MISCONFIGURED', `Elasticsearch at ${this.url} ${what}`, { cause });
  }
}
