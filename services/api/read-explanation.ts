import type { Charge } from '../../shared/contracts/charge.ts';
import type { ApplicationFact } from '../../shared/contracts/container-fact.ts';
import { type PricePromise, promisedEpochs, QUOTE_TAG } from '../../shared/price/price-promise.ts';
import {
  type ExplainedContainer,
  type ExplainRules,
  explainContainer,
} from '../../shared/rating/explain-container.ts';
import { explainRow, type RowVerdict, verdictText } from '../../shared/rating/explain-row.ts';
import type { ContainerKnown } from '../../shared/rating/read-container.ts';
import type { ContainerDossier } from '../../shared/stores/explanation-reader.ts';
import { applicationKey } from '../../shared/stores/journal.ts';
import type { ApplicationCost } from '../../shared/stores/ledger-reader.ts';
import type { Instant } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import type { ApiDeps } from './api-deps.ts';

export type ExplanationDeps = Pick<
  ApiDeps,
  'ledger' | 'journal' | 'prices' | 'quotes' | 'explanations' | 'metering' | 'clock'
>;

/** A container as it was explained, beside all that is known of it. */
export interface ExplainedDossier {
  readonly dossier: ContainerDossier;
  readonly explained: ExplainedContainer;
}

export interface Explanation {
  readonly asOf: Instant;
  readonly pool: string | undefined;
  readonly application: ApplicationCost;
  readonly applicationFacts: readonly ApplicationFact[];
  readonly containers: readonly ExplainedDossier[];
  readonly standing: RowVerdict['standing'] | undefined;
  readonly verdict: Pick<RowVerdict, 'recomputed' | 'ledger' | 'equal' | 'message'>;
  readonly cursor: string | undefined;
}

interface Known {
  readonly application: ApplicationCost;
  readonly applicationFacts: readonly ApplicationFact[];
}

/** What the meter would be told of a container, of facts stored by some time. */
function witnessedOf(
  dossier: ContainerDossier,
  { application, applicationFacts }: Known,
  knownBy: Instant,
): ContainerKnown {
  const told = dossier.facts.filter(({ storedAt }) => storedAt <= knownBy);
  const { evidence } = dossier;
  const stored = [
    ...told.map(({ storedAt }) => storedAt),
    evidence?.storedAt ?? Number.NEGATIVE_INFINITY,
  ];
  return {
    cluster: application.cluster,
    application: application.application,
    applicationFacts,
    facts: told.map(({ fact }) => fact),
    // Only the last is kept; what it was at an earlier time is at most that time.
    evidence: evidence === undefined ? undefined : Math.min(evidence.until, knownBy),
    learnedAt: Math.min(knownBy, Math.max(...stored)),
  };
}

async function knownOf(
  deps: ExplanationDeps,
  project: ProjectId,
  ref: { readonly cluster: string; readonly application: string },
): Promise<Known | undefined> {
  const application = await deps.ledger.application(project, ref.cluster, ref.application);
  if (application === undefined) return undefined;
  const facts = await deps.journal.applications([ref]);
  return { application, applicationFacts: facts.get(applicationKey(ref)) ?? [] };
}

/** What the application's tag names, if its project was promised that. */
async function promiseOf(
  { quotes }: ExplanationDeps,
  project: ProjectId,
  { tags }: Pick<ApplicationCost, 'tags'>,
): Promise<PricePromise | undefined> {
  const quote = tags[QUOTE_TAG];
  if (quote === undefined) return undefined;
  return (await quotes.promises([{ project, quote }])).get(quote);
}

/** The rules in force, with the epochs that these containers' charges need. */
async function rulesOf(
  deps: ExplanationDeps,
  application: ApplicationCost,
  {
    project,
    now,
    from,
  }: { readonly project: ProjectId; readonly now: Instant; readonly from: Instant },
): Promise<ExplainRules> {
  const { prices, metering } = deps;
  const pool = metering.poolOf(application.cluster);
  const recorded = pool === undefined ? [] : await prices.epochs(pool, from, now + 1);
  const promise = await promiseOf(deps, project, application);
  const epochs = promisedEpochs(recorded, promise, { project, pool });
  return { ...metering, tariff: metering.tariff.of(application.cluster), epochs, project, now };
}

const endOfTime = Number.MAX_SAFE_INTEGER;

function earliest(dossiers: readonly ContainerDossier[], byDefault: Instant): Instant {
  return Math.min(
    byDefault,
    ...dossiers.flatMap(({ facts, rows }) => [
      ...facts.map(({ fact }) => fact.at),
      ...rows.map(({ hour }) => hour),
    ]),
  );
}

/** One row of the ledger: its line computed again, and how it stands among its corrections. */
export async function readChargeExplanation(
  deps: ExplanationDeps,
  project: ProjectId,
  charge: Charge,
): Promise<Explanation | undefined> {
  const { cluster, container, hour, step, kind } = charge;
  const known = await knownOf(deps, project, charge);
  const dossiers = await deps.explanations.dossiers(project, cluster, [container], hour);
  const [dossier] = dossiers;
  if (dossier === undefined) return undefined;
  const now = deps.clock.now();
  // An application that has moved to another project is known by what this one's row tells.
  const told = known ?? { application: applicationOf(charge), applicationFacts: [] };
  // What is missing to a minimum is of the whole life.
  const from = kind === 'minimum' ? earliest(dossiers, hour) : hour;
  const rules = await rulesOf(deps, told.application, { project, from, now });
  const line = { hour, step, kind };
  const explained = explainContainer(
    witnessedOf(dossier, told, endOfTime),
    dossier.rows,
    rules,
    line,
  );
  const rows = dossier.rows.filter((row) => row.step === step && row.kind === kind);
  const verdict = explainRow(charge, rows, {
    now: () => (known === undefined ? 0n : explained.recomputed),
    whenStored: () => {
      const then = witnessedOf(dossier, told, charge.storedAt);
      return explainContainer(then, [], { ...rules, now: charge.storedAt }, line).recomputed;
    },
  });
  return {
    asOf: now,
    pool: deps.metering.poolOf(cluster),
    ...told,
    containers: [{ dossier, explained }],
    standing: verdict.standing,
    verdict,
    cursor: undefined,
  };
}

function applicationOf(charge: Charge): ApplicationCost {
  return {
    ...{ cluster: charge.cluster, application: charge.application, project: charge.project },
    ...{ name: '', user: '', queue: '', attempts: [], url: '', state: 'ended' },
    tags: JSON.parse(charge.tags) as Record<string, string>,
    ...{ start: charge.hour, end: undefined, containersRunning: 0, containersTotal: 0 },
    ...{ millicores: 0, memoryMib: 0, gpus: 0, coverage: charge.coverage },
    ...{ charged: 0n, inferred: 0n, accrued: 0n, perHour: 0n, activity: undefined },
  };
}

/** A page of an application's containers, each line computed again. */
export async function readApplicationExplanation(
  deps: ExplanationDeps,
  project: ProjectId,
  ref: { readonly cluster: string; readonly application: string },
  page: { readonly limit: number; readonly after?: string },
): Promise<Explanation | undefined> {
  const known = await knownOf(deps, project, ref);
  if (known === undefined) return undefined;
  const { explanations, clock, metering } = deps;
  const found = await explanations.containersOf(project, ref, { ...page, limit: page.limit + 1 });
  const names = found.slice(0, page.limit);
  const dossiers = await explanations.dossiers(project, ref.cluster, names);
  const now = clock.now();
  const from = earliest(dossiers, now);
  const rules = await rulesOf(deps, known.application, { project, from, now });
  const containers = dossiers.map((dossier) => {
    const witnessed = witnessedOf(dossier, known, endOfTime);
    return { dossier, explained: explainContainer(witnessed, dossier.rows, rules) };
  });
  const sum = (member: 'recomputed' | 'ledger'): bigint =>
    containers.reduce((total, { explained }) => total + explained[member], 0n);
  const [recomputed, ledger] = [sum('recomputed'), sum('ledger')];
  const equal = containers.every(({ explained }) =>
    explained.lines.every(({ differences }) => differences.length === 0),
  );
  return {
    asOf: now,
    pool: metering.poolOf(ref.cluster),
    ...known,
    containers,
    standing: undefined,
    verdict: { recomputed, ledger, equal, message: verdictText(recomputed, ledger) },
    cursor: found.length > page.limit ? names.at(-1) : undefined,
  };
}
