import type { Client } from '@elastic/elasticsearch';
import { AppError } from '../../errors/app-error.ts';
import type { ElasticConfig } from './config.ts';
import { causeIn, ElasticRequests } from './elastic-requests.ts';
import { logTemplate } from './log-template.ts';

/**
 * Puts the index template, new or again: existing indices stay as they are.
 *
 * @throws AppError STORE_UNAVAILABLE or STORE_MISCONFIGURED
 */
export async function initElastic(client: Client, config: ElasticConfig): Promise<void> {
  const requests = new ElasticRequests(client, config.url);
  const answer = await requests.send({
    method: 'PUT',
    path: `/_index_template/${config.indexPrefix}`,
    body: logTemplate(config),
  });
  if (answer.status === 200) return;
  const { type, reason } = causeIn(answer.body);
  const forbidden = answer.status === 403 || answer.status === 401;
  const wrong = answer.status < 500 && answer.status !== 429;
  throw new AppError(
    wrong ? 'STORE_MISCONFIGURED' : 'STORE_UNAVAILABLE',
    `Elasticsearch at ${config.url} did not take the index template ${config.indexPrefix} ` +
      `(${answer.status} ${type}: ${reason})` +
      (forbidden ? '; its user needs the cluster privilege manage_index_templates' : ''),
  );
}
