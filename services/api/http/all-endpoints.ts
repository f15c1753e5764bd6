import type { ApiDeps } from '../api-deps.ts';
import { actionEndpoints } from '../routes/actions.ts';
import { alertEndpoints } from '../routes/alerts.ts';
import { anomalyEndpoints } from '../routes/anomalies.ts';
import { applicationEndpoints } from '../routes/applications.ts';
import { chargeEndpoints } from '../routes/charges.ts';
import { clusterIdleEndpoints } from '../routes/cluster-idle.ts';
import { clusterEndpoints } from '../routes/clusters.ts';
import { enforcementEndpoints } from '../routes/enforcement.ts';
import { explanationEndpoints } from '../routes/explanations.ts';
import { forecastEndpoints } from '../routes/forecast.ts';
import { grantEndpoints } from '../routes/grants.ts';
import { levelEndpoints } from '../routes/levels.ts';
import { logEndpoints } from '../routes/logs.ts';
import { metricEndpoints } from '../routes/metrics.ts';
import { periodEndpoints } from '../routes/periods.ts';
import { priceFreezeEndpoints } from '../routes/price-freezes.ts';
import { priceEndpoints } from '../routes/prices.ts';
import { projectEndpoints } from '../routes/projects.ts';
import { quarantineEndpoints } from '../routes/quarantine.ts';
import { quotaCheckEndpoints } from '../routes/quota-checks.ts';
import { quotaSuggestionEndpoints } from '../routes/quota-suggestions.ts';
import { quoteEndpoints } from '../routes/quotes.ts';
import { rateCardEndpoints } from '../routes/rate-cards.ts';
import { replayEndpoints } from '../routes/replays.ts';
import { reservationEndpoints } from '../routes/reservations.ts';
import { silenceEndpoints } from '../routes/silences.ts';
import { spendingEndpoints } from '../routes/spending.ts';
import { statusEndpoints } from '../routes/status.ts';
import { stopEndpoints } from '../routes/stops.ts';
import { streamCostEndpoints } from '../routes/stream-costs.ts';
import { streamingQueryEndpoints } from '../routes/streaming-queries.ts';
import type { Endpoint } from './endpoint.ts';

/** Loaded where the whole API is served: its schemas are megabytes that a collector needn't hold. */
export function allEndpoints(deps: ApiDeps): Endpoint[] {
  return [
    ...statusEndpoints(deps),
    ...projectEndpoints(deps),
    ...grantEndpoints(deps),
    ...forecastEndpoints(deps),
    ...levelEndpoints(deps),
    ...applicationEndpoints(deps),
    ...stopEndpoints(deps),
    ...chargeEndpoints(deps),
    ...explanationEndpoints(deps),
    ...periodEndpoints(deps),
    ...spendingEndpoints(deps),
    ...streamCostEndpoints(deps),
    ...logEndpoints(deps),
    ...streamingQueryEndpoints(deps),
    ...metricEndpoints(deps),
    ...clusterEndpoints(deps),
    ...clusterIdleEndpoints(deps),
    ...anomalyEndpoints(deps),
    ...priceEndpoints(deps),
    ...priceFreezeEndpoints(deps),
    ...rateCardEndpoints(deps),
    ...quotaCheckEndpoints(deps),
    ...reservationEndpoints(deps),
    ...replayEndpoints(deps),
    ...quoteEndpoints(deps),
    ...quotaSuggestionEndpoints(deps),
    ...alertEndpoints(deps),
    ...silenceEndpoints(deps),
    ...enforcementEndpoints(deps),
    ...actionEndpoints(deps),
    ...quarantineEndpoints(deps),
  ];
}
