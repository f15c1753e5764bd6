import { z } from 'zod';
import { applicationSignal } from './signals/application-signal.ts';
import { balanceSignal } from './signals/balance-signal.ts';
import { clusterSignal } from './signals/cluster-signal.ts';
import { logSignal } from './signals/log-signal.ts';
import { metricSignal } from './signals/metric-signal.ts';
import { priceSignal } from './signals/price-signal.ts';
import { streamSignal } from './signals/stream-signal.ts';
import { tollgateSignal } from './signals/tollgate-signal.ts';

/**
 * What a rule looks at, by `kind`: which subjects there are (one alert each) and, by its measure,
 * which number is compared.
 */
export const signalConfig = z.discriminatedUnion('kind', [
  metricSignal,
  logSignal,
  balanceSignal,
  streamSignal,
  applicationSignal,
  clusterSignal,
  priceSignal,
  tollgateSignal,
]);

/** A signal as a rule names it, durations in ms. */
export type SignalConfig = z.infer<typeof signalConfig>;

/** The signals of one kind. */
export type SignalOf<Kind extends SignalConfig['kind']> = Extract<SignalConfig, { kind: Kind }>;
