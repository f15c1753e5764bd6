import type { z } from 'zod';
import type { PriceEpoch, PriceEvaluation } from '../../shared/contracts/charge.ts';
import type { restPriceWhy } from '../../shared/contracts/rest-prices.ts';
import { type PriceInputs, priceInputs } from '../../shared/price/evaluate-price.ts';
import { formatInstant } from '../../shared/values/instant.ts';
import { formatPriceStep } from '../../shared/values/price-step.ts';
import type { Resources } from '../../shared/values/resources.ts';

type Why = z.infer<typeof restPriceWhy>;

const percent = (share: number): string => `${Math.round(share * 100)} %`;
const multiplier = (target: number): string => `${target.toFixed(2)} X`;
const minutes = (ms: number): string => `${Math.round(ms / 60_000)} minutes`;
const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

function demandOf({ millicores, memoryMib, gpus }: Resources) {
  return {
    cores: rounded(millicores / 1_000),
    memoryMib: Math.round(memoryMib),
    gpus: rounded(gpus),
  };
}

/** Without the names of projects that wait, and their demand: that is theirs. */
function toRestWhy(inputs: PriceInputs, text: string): Why {
  return {
    text,
    share: inputs.share === null ? null : rounded(inputs.share),
    load: rounded(inputs.load),
    target: inputs.target.toFixed(2),
    allocated: demandOf(inputs.allocated),
    pending: demandOf(inputs.pending),
    capacity: demandOf(inputs.capacity),
  };
}

function loadText({ share, load, target }: PriceInputs): string {
  const now = share === null ? '' : ` (${percent(share)} then)`;
  return `smoothed load of ${percent(load)}${now} asks for ${multiplier(target)}`;
}

function epochText({ reason, step }: PriceEpoch, inputs: PriceInputs): string {
  const { moveMax, lostMs } = inputs.rule;
  if (reason === 'first') return 'the first price: nothing is known of the load yet';
  if (reason === 'stale') {
    return `no load for ${minutes(lostMs)}: a step down to the base, ${formatPriceStep(step)}`;
  }
  return `${loadText(inputs)}; at most ${multiplier(moveMax / 1_000)} at once`;
}

/** Why a price is what it is; null where another rule, or nobody, recorded its inputs. */
export function whyOfEpoch(epoch: PriceEpoch): Why | null {
  const inputs = priceInputs(epoch);
  return inputs === undefined ? null : toRestWhy(inputs, epochText(epoch, inputs));
}

function silentClusters({ state, rule }: PriceInputs): string {
  const { load, evaluatedAt } = state;
  const silent = Object.entries(load.clusters).filter(
    ([, { at }]) => evaluatedAt - at > rule.staleMs,
  );
  return silent.map(([name]) => name).join(', ');
}

function stayText(inputs: PriceInputs): string {
  const { last } = inputs.state;
  const step = formatPriceStep(last?.step ?? 0);
  const { holdMs, lostMs } = inputs.rule;
  switch (inputs.stays ?? 'moves') {
    case 'moves':
      return `${loadText(inputs)}; ${step} is announced`;
    case 'frozen':
      return `frozen; ${loadText(inputs)}`;
    case 'announced':
      return `${step} is announced for ${formatInstant(last?.start ?? 0)}; nothing moves before`;
    case 'held': {
      const until = formatInstant((last?.start ?? 0) + holdMs);
      return `${loadText(inputs)}; held until ${until}, ${minutes(holdMs)} after the last move`;
    }
    case 'silent':
      return `${loadText(inputs)}; no rise while nothing is heard of ${silentClusters(inputs)}`;
    case 'lost':
      return `no load for ${minutes(lostMs)}: stays at ${step}`;
    case 'steady':
      return `${loadText(inputs)}; ${step} is near enough, or as far as it may go`;
  }
}

/** Why a price moved in the last minute or stayed; null where another rule thought about it. */
export function whyOfEvaluation(evaluation: PriceEvaluation): Why | null {
  const inputs = priceInputs(evaluation);
  return inputs === undefined ? null : toRestWhy(inputs, stayText(inputs));
}
