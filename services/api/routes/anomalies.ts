import { z } from 'zod';
import type { LedgerAnomaly } from '../../../shared/contracts/anomaly.ts';
import { restAnomalies, restClockSkew } from '../../../shared/contracts/rest-witnesses.ts';
import { estimateClockSkew } from '../../../shared/intervals/clock-skew.ts';
import type { WitnessDisagreement } from '../../../shared/intervals/witness-disagreement.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { checkWindow, limitParameter, timeParameter } from '../http/query-schema.ts';
import { mustCluster } from './cluster-idle.ts';
import { mustBalance } from './projects.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'clusters' | 'clock'>;

/** What the meter writes, by the kind of anomaly. */
type Detail = Partial<WitnessDisagreement> & {
  readonly claimed?: string;
  readonly user?: string;
  readonly queue?: string;
};

function toRest(found: LedgerAnomaly): z.infer<typeof restAnomalies>['anomalies'][number] {
  const {
    what,
    told,
    apartMs,
    claimed,
    user = '',
    queue = '',
  } = JSON.parse(found.detail) as Detail;
  const disagreement =
    what === undefined || told === undefined || apartMs === undefined
      ? null
      : {
          what,
          told: told.map(({ witness, at }) => ({ witness, at: formatInstant(at) })),
          apartMs,
        };
  return {
    anomaly: found.anomaly,
    cluster: found.cluster,
    application: found.application,
    container: found.container === '' ? null : found.container,
    fact: found.factId,
    at: formatInstant(found.at),
    disagreement,
    claim: claimed === undefined ? null : { project: claimed, user, queue },
  };
}

/** What witnesses got wrong, each other or their clocks. */
export function anomalyEndpoints(deps: Deps): Endpoint[] {
  const now = () => deps.clock.now();
  return [
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/anomalies',
      scope: 'read',
      summary: 'Facts that are not charged as they stand, disagreeing witnesses, refused claims',
      query: z.object({
        from: timeParameter(now, '-24h'),
        until: timeParameter(now, 'now'),
        anomaly: z.string().max(64).optional().meta({ description: 'Of this kind only' }),
        limit: limitParameter(100, 1_000),
        cursor: z.string().max(4_000).optional().meta({ description: 'From the page before' }),
      }),
      answer: restAnomalies,
      async handle({ project, query }) {
        await mustBalance(deps, project);
        checkWindow(query);
        const { from, until, limit, anomaly, cursor } = query;
        const page = await deps.ledger.anomalies(
          project,
          { from, until },
          {
            limit,
            ...(anomaly === undefined ? {} : { anomaly }),
            ...(cursor === undefined ? {} : { cursor }),
          },
        );
        return { anomalies: page.anomalies.map(toRest), cursor: page.cursor ?? null };
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/clusters/{cluster}/clock-skew',
      scope: 'read',
      summary: 'How far the clocks of the witnesses of a cluster are apart',
      answer: restClockSkew,
      async handle({ params }) {
        const cluster = mustCluster(deps, params);
        const skews = estimateClockSkew(await deps.ledger.clockPairs(cluster));
        return {
          cluster,
          skews: skews.map(({ host, offsetMs, spreadMs, ...skew }) => ({
            ...skew,
            host: host === '' ? null : host,
            offsetMs: offsetMs ?? null,
            spreadMs: spreadMs ?? null,
          })),
        };
      },
    }),
  ];
}
