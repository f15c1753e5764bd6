import { createFetchJson, type FetchJson } from '../../../shared/clusters/fetch-json.ts';
import { count, objectAt } from '../../../shared/clusters/lenient-json.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { BytesReader } from './bytes-reader.ts';

/** A NameNode walks the folder for its answer, which takes it seconds for millions of files. */
const TIMEOUT_MS = 30_000;
const ANSWER_MAX_BYTES = 1_048_576;

export interface WebhdfsPlace {
  readonly project: ProjectId;
  /** NameNode's web address. */
  readonly url: string;
  readonly path: string;
  /** Who asks, where HDFS trusts its callers. */
  readonly user?: string | undefined;
}

/**
 * Bytes that a folder of HDFS takes on its disks, replicas included, as HDFS' own space quota counts
 * them. Source: WebHDFS REST API, operation GETCONTENTSUMMARY, member spaceConsumed.
 */
export function webhdfsBytes(
  { project, url, path, user }: WebhdfsPlace,
  { clock }: { readonly clock: Clock },
  fetchJson: FetchJson = createFetchJson({
    ...{ clock, timeoutMs: TIMEOUT_MS, maxBytes: ANSWER_MAX_BYTES },
  }),
): BytesReader {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const address = new URL(`/webhdfs/v1${encoded}`, url);
  address.searchParams.set('op', 'GETCONTENTSUMMARY');
  if (user !== undefined) address.searchParams.set('user.name', user);
  return {
    ...{ project, kind: 'stored-bytes', part: `webhdfs:${new URL(url).host}${path}` },
    async read(_now, signal) {
      const answer = await fetchJson(address, signal);
      const bytes = count(objectAt(answer, 'ContentSummary'), 'spaceConsumed');
      if (bytes !== undefined) return BigInt(bytes);
      throw new AppError(
        'CLUSTER_UNAVAILABLE',
        `${address.origin} tells no space of ${path}; is it a NameNode's web address?`,
      );
    },
  };
}
