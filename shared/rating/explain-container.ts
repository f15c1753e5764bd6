import type { Charge, ChargeKind, PriceEpoch, Quantity } from '../contracts/charge.ts';
import { type ExplainedFacts, explainFacts } from '../intervals/explain-facts.ts';
import { HOUR_MS, type Instant, utcHour } from '../values/instant.ts';
import { cutAtUtcHours } from '../values/interval.ts';
import type { Nanocredits } from '../values/money.ts';
import type { PriceStep } from '../values/price-step.ts';
import type { RateCard } from '../values/rate-card.ts';
import { type ExplainedAmount, explainAmount } from './explain-amount.ts';
import { epochsFor } from './fixed-price.ts';
import { minimumCharge } from './minimum-line.ts';
import { clipIntervals, cutAtEpochs, quantityOf, type ResourceInterval } from './rate-interval.ts';
import { chargeableSpan, type LifeLine, rateLife } from './rate-life.ts';
import { type ContainerKnown, type ReadingRules, readContainer } from './read-container.ts';
import type { Tariff } from './tariff.ts';

export interface ExplainRules extends ReadingRules {
  readonly tariff: Tariff;
  /** Of the container's pool, in order of start; empty where no pool prices its cluster. */
  readonly epochs: readonly PriceEpoch[];
  /** Who pays, whose price a card may fix. */
  readonly project: string;
  readonly now: Instant;
}

/** A part of a line: one interval, one price epoch. */
export interface LinePiece extends ResourceInterval {
  readonly quantity: Quantity;
  /** Undefined for time before the first epoch, which has the base price. */
  readonly epoch: PriceEpoch | undefined;
}

/** Which line of a container. */
export interface LineRef {
  readonly hour: Instant;
  readonly step: PriceStep;
  readonly kind: ChargeKind;
}

/** How the line of a minimum charge comes about: what is missing. */
export interface ExplainedMinimum {
  /** Least that the container costs, by the card and its outcome. */
  readonly least: Nanocredits;
  /** What its whole life was charged beside. */
  readonly charged: Nanocredits;
}

export interface ExplainedLine extends LineRef {
  /** The card that rates it now; undefined when nothing is charged for this hour and step. */
  readonly card: RateCard | undefined;
  readonly pieces: readonly LinePiece[];
  readonly quantity: Quantity | undefined;
  /** Of usage. */
  readonly arithmetic: ExplainedAmount | undefined;
  readonly minimum: ExplainedMinimum | undefined;
  /** What the facts come to now. */
  readonly recomputed: Nanocredits;
  /** What the rows of the ledger come to. */
  readonly ledger: Nanocredits;
  /** Its rows in the order of writing, corrections included. */
  readonly rows: readonly Charge[];
  /** What the row in force says otherwise; empty when it stands to the unit. */
  readonly differences: readonly string[];
}

export interface ExplainedContainer extends ExplainedFacts {
  /** The policy that prices it, such as `preempted 50`; '' at the full price. */
  readonly outcome: string;
  /** Charged up to here; undefined without a start. */
  readonly chargedUntil: Instant | undefined;
  /** In order of hour and step, a minimum after usage. */
  readonly lines: readonly ExplainedLine[];
  readonly recomputed: Nanocredits;
  readonly ledger: Nanocredits;
}

const keyOf = ({ hour, step, kind }: LineRef): string => `${hour}/${step}/${kind}`;

function epochOf(at: Instant, epochs: readonly PriceEpoch[]): PriceEpoch | undefined {
  const epoch = epochs.findLast(({ start }) => start <= at);
  return epoch !== undefined && (epoch.end === undefined || epoch.end > at) ? epoch : undefined;
}

/** The parts of the intervals that belong to each hour and step. */
function piecesOf(
  intervals: readonly ResourceInterval[],
  { tariff, epochs, project }: ExplainRules,
): Map<string, LinePiece[]> {
  const pieces: (LinePiece & { readonly key: string })[] = [];
  for (const interval of intervals) {
    for (const hour of cutAtUtcHours(interval)) {
      const start = utcHour(hour.start);
      const own = epochsFor(tariff.fixedStepAt(start, project), epochs);
      for (const piece of cutAtEpochs(hour, own)) {
        const part = { start: piece.start, end: piece.end, resources: interval.resources };
        pieces.push({
          ...part,
          quantity: quantityOf(part),
          epoch: epochOf(piece.start, own),
          key: keyOf({ hour: start, step: piece.step, kind: 'usage' }),
        });
      }
    }
  }
  const groups = new Map<string, LinePiece[]>();
  for (const { key, ...piece } of pieces) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [piece]);
    else group.push(piece);
  }
  return groups;
}

/** What the row in force says otherwise than the facts do. */
function differencesOf(
  row: Charge | undefined,
  line: LifeLine | undefined,
  outcome: string,
): string[] {
  if (row === undefined && line === undefined) return [];
  if (row === undefined) return ['the ledger has no row for it: it is not settled yet'];
  if (line === undefined) return ['the facts no longer tell of it: the row is to be retracted'];
  const found: string[] = [];
  const compare = (name: string, ledger: unknown, now: unknown): void => {
    if (ledger !== now) found.push(`${name}: the ledger has ${ledger}, the facts tell ${now}`);
  };
  compare('amount in nanocredits', row.amount, line.amount);
  for (const [name, unit] of [
    ['containerMs', 'container-ms'],
    ['millicoreMs', 'millicore-ms'],
    ['mibMs', 'MiB-ms'],
    ['gpuMs', 'GPU-ms'],
  ] as const) {
    compare(unit, row.quantity[name], line.quantity[name]);
  }
  compare('rate card', row.rateCard, line.rateCard);
  compare('coverage', row.coverage, line.coverage);
  compare('outcome', row.outcome ?? '', outcome);
  return found;
}

interface LineRules extends Pick<ExplainRules, 'tariff'> {
  readonly outcome: string;
  readonly percent: number;
}

function minimumOf(line: LifeLine, card: RateCard, percent: number): ExplainedMinimum {
  const least = minimumCharge(card, percent);
  return { least, charged: least - line.amount };
}

function lineOf(
  ref: LineRef,
  line: LifeLine | undefined,
  parts: { readonly rows: readonly Charge[]; readonly pieces: readonly LinePiece[] },
  { tariff, outcome, percent }: LineRules,
): ExplainedLine {
  const last = parts.rows.at(-1);
  const inForce = last?.type === 'RETRACTION' ? undefined : last;
  const card = line === undefined ? undefined : tariff.cardAt(line.hour);
  return {
    ...ref,
    card,
    pieces: line === undefined ? [] : parts.pieces,
    quantity: line?.quantity,
    arithmetic:
      line === undefined || card === undefined || line.kind === 'minimum'
        ? undefined
        : explainAmount(line.quantity, line.step, card, percent),
    minimum:
      line?.kind === 'minimum' && card !== undefined ? minimumOf(line, card, percent) : undefined,
    recomputed: line?.amount ?? 0n,
    ledger: parts.rows.reduce((sum, { amount }) => sum + amount, 0n),
    rows: parts.rows,
    differences: differencesOf(inForce, line, outcome),
  };
}

/**
 * Computes a container's charges again from its facts, with the functions that charge, and lays them
 * beside the rows of the ledger. Pure.
 *
 * @param rows all rows of the container, or of the lines that are asked for
 * @param only this line; without it, all
 */
export function explainContainer(
  known: ContainerKnown,
  rows: readonly Charge[],
  rules: ExplainRules,
  only?: LineRef,
): ExplainedContainer {
  const { tariff, leaseMs, now } = rules;
  const { witnessed, outcome, percent } = readContainer(known, rules, now);
  const explained = explainFacts(witnessed, now, leaseMs, rules.witnessRule);
  const { life } = explained.told;
  const span = life === undefined ? undefined : chargeableSpan(life, now);
  const over = span?.over ?? false;
  const window = {
    start: only?.hour ?? Number.NEGATIVE_INFINITY,
    end: Math.min(
      span?.chargedUntil ?? Number.NEGATIVE_INFINITY,
      only === undefined ? Number.POSITIVE_INFINITY : only.hour + HOUR_MS,
    ),
  };
  const rated = life === undefined ? [] : rateLife(life, window, { ...rules, percent, over });
  const pieces = piecesOf(clipIntervals(life?.intervals ?? [], window), rules);
  const byKey = new Map(rated.map((line) => [keyOf(line), line]));
  const rowsByKey = Map.groupBy(
    rows.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    keyOf,
  );
  const refs = new Map(
    [...rated, ...rows].map(({ hour, step, kind }): [string, LineRef] => {
      const ref = { hour, step, kind };
      return [keyOf(ref), ref];
    }),
  );
  const lines = [...refs]
    .filter(([key]) => only === undefined || key === keyOf(only))
    .map(([key, ref]) => {
      const parts = { rows: rowsByKey.get(key) ?? [], pieces: pieces.get(key) ?? [] };
      return lineOf(ref, byKey.get(key), parts, { tariff, outcome, percent });
    })
    .sort((a, b) => a.hour - b.hour || a.step - b.step || (a.kind < b.kind ? 1 : -1));
  return {
    ...explained,
    outcome,
    chargedUntil: span?.chargedUntil,
    lines,
    recomputed: lines.reduce((sum, { recomputed }) => sum + recomputed, 0n),
    ledger: lines.reduce((sum, { ledger }) => sum + ledger, 0n),
  };
}
