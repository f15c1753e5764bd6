import type { PriceEpoch, Quantity } from '../../shared/contracts/charge.ts';
import { NO_RULE } from '../../shared/contracts/container-fact.ts';
import type { RestExplanation } from '../../shared/contracts/rest-explanation.ts';
import { explainAttribution } from '../../shared/intervals/explain-attribution.ts';
import type { FactVerdict } from '../../shared/intervals/explain-facts.ts';
import type { ExplainedLine } from '../../shared/rating/explain-container.ts';
import type { ContainerDossier } from '../../shared/stores/explanation-reader.ts';
import { formatInstant, type Instant } from '../../shared/values/instant.ts';
import { formatCredits } from '../../shared/values/money.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import type { Resources } from '../../shared/values/resources.ts';
import type { ExplainedDossier, Explanation } from './read-explanation.ts';
import { formatMultiplier } from './rest-money.ts';

type RestContainer = RestExplanation['containers'][number];
type RestLine = RestContainer['lines'][number];

const ROUNDING = 'half to even, once per line, of the exact sum of its products';

const orNull = (at: Instant | undefined): string | null =>
  at === undefined ? null : formatInstant(at);

function toRestQuantity({ containerMs, millicoreMs, mibMs, gpuMs }: Quantity) {
  return {
    containerMs: containerMs.toString(),
    millicoreMs: millicoreMs.toString(),
    mibMs: mibMs.toString(),
    gpuMs: gpuMs.toString(),
  };
}

const toRestResources = ({ millicores, memoryMib, gpus }: Resources) => ({
  ...{ millicores, memoryMib, gpus },
});

/**
 * Inputs are JSON that a price rule wrote; another rule's text is told as it is. What the rule
 * remembers names projects that wait, which is nobody else's business.
 */
function inputsOf({ inputs }: PriceEpoch): unknown {
  try {
    const { state: _remembered, ...told } = JSON.parse(inputs) as Record<string, unknown>;
    return told;
  } catch {
    return inputs;
  }
}

function toRestLine(line: ExplainedLine): RestLine {
  const { card, arithmetic } = line;
  return {
    hour: formatInstant(line.hour),
    kind: line.kind,
    multiplier: formatMultiplier(line.step),
    pieces: line.pieces.map((piece) => ({
      start: formatInstant(piece.start),
      end: formatInstant(piece.end),
      resources: toRestResources(piece.resources),
      quantity: toRestQuantity(piece.quantity),
      epoch: piece.epoch?.id ?? null,
    })),
    quantity: line.quantity === undefined ? null : toRestQuantity(line.quantity),
    rateCard:
      card === undefined
        ? null
        : {
            id: card.id,
            coreSecond: formatCredits(card.coreSecond),
            gibSecond: formatCredits(card.gibSecond),
            gpuSecond: formatCredits(card.gpuSecond),
            rule: card.rule ?? 'additive',
            minimum: formatCredits(card.minimum ?? 0n),
            scale: (card.scale ?? 1n).toString(),
          },
    products: (arithmetic?.terms ?? []).map((term) => ({
      resource: term.resource,
      quantity: term.quantity.toString(),
      perUnit: term.perUnit.toString(),
      rate: formatCredits(term.rate),
      exact: term.exact,
      counts: term.counts,
    })),
    sum: arithmetic?.exact ?? null,
    minimum:
      line.minimum === undefined
        ? null
        : {
            least: formatCredits(line.minimum.least),
            charged: formatCredits(line.minimum.charged),
          },
    recomputed: formatCredits(line.recomputed),
    ledger: formatCredits(line.ledger),
    rows: line.rows.map((row) => ({
      id: row.id,
      type: row.type,
      amount: formatCredits(row.amount),
      rateCard: row.rateCard,
      ruleVersion: row.ruleVersion,
      coverage: row.coverage,
      storedAt: formatInstant(row.storedAt),
    })),
    differences: [...line.differences],
  };
}

function toRestFact(
  { fact, decides, why }: FactVerdict,
  stored: ReadonlyMap<string, Instant>,
): RestContainer['facts'][number] {
  return {
    id: fact.id,
    kind: fact.kind,
    witness: fact.witness,
    at: formatInstant(fact.at),
    storedAt: formatInstant(stored.get(fact.id) ?? fact.at),
    resources: toRestResources(fact.resources),
    host: fact.host,
    reason: fact.reason,
    decides: [...decides],
    why,
  };
}

function toRestContainer({ dossier, explained }: ExplainedDossier): RestContainer {
  const { told } = explained;
  const stored = new Map(dossier.facts.map(({ fact, storedAt }) => [fact.id, storedAt]));
  return {
    container: dossier.container,
    role: told.life?.role ?? '',
    attempt: told.life?.attempt ?? '',
    start: orNull(told.life?.start),
    end: orNull(told.life?.end),
    why: explained.end,
    coverage: told.life?.coverage ?? null,
    outcome: explained.outcome,
    chargedUntil: orNull(explained.chargedUntil),
    evidence: toRestEvidence(dossier),
    facts: explained.facts.map((verdict) => toRestFact(verdict, stored)),
    anomalies: told.anomalies.map(({ anomaly, factId }) => ({ anomaly, factId })),
    intervals: (told.life?.intervals ?? []).map(({ start, end, resources }) => ({
      start: formatInstant(start),
      end: formatInstant(end),
      resources: toRestResources(resources),
    })),
    lines: explained.lines.map(toRestLine),
    recomputed: formatCredits(explained.recomputed),
    ledger: formatCredits(explained.ledger),
  };
}

function toRestEvidence({ evidence }: ContainerDossier): RestContainer['evidence'] {
  if (evidence === undefined) return null;
  return { until: formatInstant(evidence.until), storedAt: formatInstant(evidence.storedAt) };
}

function epochsOf(containers: readonly ExplainedDossier[]): RestExplanation['epochs'] {
  const epochs = new Map<string, PriceEpoch>();
  for (const { explained } of containers) {
    for (const { pieces } of explained.lines) {
      for (const { epoch } of pieces) if (epoch !== undefined) epochs.set(epoch.id, epoch);
    }
  }
  return [...epochs.values()]
    .sort((a, b) => a.start - b.start)
    .map((epoch) => ({
      id: epoch.id,
      pool: epoch.pool,
      // A price that a rate card fixes has no beginning.
      start: formatInstant(Math.max(0, epoch.start)),
      end: orNull(epoch.end),
      multiplier: formatMultiplier(epoch.step),
      reason: epoch.reason,
      ruleVersion: epoch.ruleVersion,
      inputs: inputsOf(epoch),
    }));
}

function toRestApplication(
  project: ProjectId,
  { application, applicationFacts }: Explanation,
): RestExplanation['application'] {
  return {
    id: application.application,
    cluster: application.cluster,
    name: application.name,
    user: application.user,
    queue: application.queue,
    tags: { ...application.tags },
    ended: orNull(application.end),
    charged: formatCredits(application.charged),
    attribution: explainAttribution(application, applicationFacts).map(
      ({ fact, decides, why }) => ({
        id: fact.id,
        witness: fact.witness,
        at: formatInstant(fact.at),
        // Who else a fact names is nobody's business but theirs.
        project: fact.project === project ? fact.project : null,
        rule: fact.rule >= NO_RULE ? null : fact.rule,
        ...{ decides, why },
      }),
    ),
  };
}

export function toRestExplanation(
  asked: { readonly project: ProjectId; readonly id: string; readonly leaseMs: number },
  explanation: Explanation,
): RestExplanation {
  const { standing, verdict, containers } = explanation;
  return {
    project: asked.project,
    id: asked.id,
    kind: standing === undefined ? 'application' : 'charge',
    asOf: formatInstant(explanation.asOf),
    rules: { leaseMs: asked.leaseMs, pool: explanation.pool ?? null, rounding: ROUNDING },
    application: toRestApplication(asked.project, explanation),
    standing: standing ?? null,
    containers: containers.map(toRestContainer),
    epochs: epochsOf(containers),
    verdict: {
      recomputed: formatCredits(verdict.recomputed),
      ledger: formatCredits(verdict.ledger),
      equal: verdict.equal,
      message: verdict.message,
    },
    cursor: explanation.cursor ?? null,
  };
}
