import type { Client } from '@elastic/elasticsearch';
import { AppError } from '../../errors/app-error.ts';
import type { ElasticConfig } from './config.ts';
import { causeIn, type ElasticAnswer, ElasticRequests } from './elastic-requests.ts';
import { TEMPLATE_VERSION } from './log-template.ts';

const MAJORS = new Set([8, 9]);

/** Rights on the log indices that writing and reading need. */
const INDEX_RIGHTS = ['create_doc', 'auto_configure', 'read'] as const;

/** Looks at a server as its configured user sees it. */
class ElasticCheck {
  readonly #requests: ElasticRequests;
  readonly #config: ElasticConfig;

  constructor(client: Client, config: ElasticConfig) {
    this.#requests = new ElasticRequests(client, config.url);
    this.#config = config;
  }

  async health(): Promise<void> {
    const answer = await this.#get('/_cluster/health', { filter_path: 'status,cluster_name' });
    const { status: health } = answer.body as { status?: unknown };
    if (typeof health !== 'string') {
      throw this.#wrong('answers, and is no Elasticsearch; correct the url');
    }
  }

  async version(): Promise<void> {
    const answer = await this.#get('/_nodes', { filter_path: 'nodes.*.version' });
    const { nodes = {} } = answer.body as { nodes?: Record<string, { version?: string }> };
    for (const { version = '' } of Object.values(nodes)) {
      if (MAJORS.has(Number.parseInt(version, 10))) continue;
      throw this.#wrong(`is version ${version || 'unknown'}; 8.x and 9.x are supported`);
    }
  }

  async template(): Promise<void> {
    const name = this.#config.indexPrefix;
    const path = `/_index_template/${name}`;
    const answer = await this.#requests.send({ method: 'GET', path });
    if (answer.status === 404) {
      throw this.#wrong(`has no index template ${name}; run "tollgate stores init"`);
    }
    this.#mustAnswer(answer, path, 'manage_index_templates');
    const { index_templates: found = [] } = answer.body as {
      index_templates?: { index_template?: { version?: number } }[];
    };
    const version = found[0]?.index_template?.version ?? 0;
    if (version < TEMPLATE_VERSION) {
      throw this.#wrong(
        `has index template ${name} in version ${version}, ${TEMPLATE_VERSION} is needed; ` +
          'run "tollgate stores init"',
      );
    }
  }

  async rights(): Promise<void> {
    const names = [`${this.#config.indexPrefix}-*`];
    const answer = await this.#requests.send({
      method: 'POST',
      path: '/_security/user/_has_privileges',
      body: { index: [{ names, privileges: INDEX_RIGHTS }] },
    });
    // A server without security has no such address: everybody may do everything there.
    if (answer.status !== 200) {
      if (this.#isAnonymous()) return;
      this.#mustAnswer(answer, '/_security/user/_has_privileges', 'none');
    }
    const { has_all_requested: all, index = {} } = answer.body as {
      has_all_requested?: boolean;
      index?: Record<string, Record<string, boolean>>;
    };
    if (all === true) return;
    const granted = index[names[0] ?? ''] ?? {};
    const missing = INDEX_RIGHTS.filter((right) => granted[right] !== true);
    throw this.#wrong(
      `gives ${this.#who()} no right to ${missing.join(', ')} on ${names[0]}; ` +
        'grant these index privileges to its role',
    );
  }

  async #get(path: string, query: Record<string, string>): Promise<ElasticAnswer> {
    const answer = await this.#requests.send({ method: 'GET', path, query });
    this.#mustAnswer(answer, path, 'monitor');
    return answer;
  }

  #mustAnswer({ status, body }: ElasticAnswer, path: string, privilege: string): void {
    if (status === 200) return;
    const { type, reason } = causeIn(body);
    const said = `${status}${type === '' ? '' : ` ${type}`}`;
    if (status === 401) {
      const what = this.#isAnonymous()
        ? 'asks for a sign-in: configure apiKey, or username and password'
        : `does not accept ${this.#who()}; correct the password or key`;
      throw this.#wrong(`${what} (${said})`);
    }
    if (status === 403) {
      throw this.#wrong(
        `gives ${this.#who()} no right to GET ${path}; grant the cluster privilege ${privilege} (${said})`,
      );
    }
    if (status === 429 || status >= 500) {
      throw new AppError(
        'STORE_UNAVAILABLE',
        `Elasticsearch at ${this.#config.url} is not ready (${said}: ${reason}); try again`,
      );
    }
    throw this.#wrong(`answers ${said} to GET ${path}; is the url that of Elasticsearch?`);
  }

  #isAnonymous(): boolean {
    return this.#config.apiKey === undefined && this.#config.username === undefined;
  }

  /** Never with the secret. */
  #who(): string {
    const { apiKey, username } = this.#config;
    if (apiKey !== undefined) return 'the API key';
    return username === undefined ? 'a caller without a name' : `user ${username}`;
  }

  #wrong(what: string): AppError {
    return new AppError('STORE_MISCONFIGURED', `Elasticsearch at ${this.#config.url} ${what}`);
  }
}

/**
 * Whether the server is one that logs can be written to and read from.
 *
 * @throws AppError STORE_UNAVAILABLE, or STORE_MISCONFIGURED with what to do
 */
export async function checkElastic(client: Client, config: ElasticConfig): Promise<void> {
  const check = new ElasticCheck(client, config);
  await check.health();
  await check.version();
  await check.rights();
  await check.template();
}
