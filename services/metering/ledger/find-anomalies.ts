import type { LedgerAnomaly } from '../../../shared/contracts/anomaly.ts';
import type { ApplicationFact } from '../../../shared/contracts/container-fact.ts';
import { must } from '../../../shared/errors/assert.ts';
import { clockPairs } from '../../../shared/intervals/clock-skew.ts';
import type { ContainerTold } from '../../../shared/intervals/container-life.ts';
import type { WitnessRule } from '../../../shared/intervals/witness-trust.ts';
import { applicationKey, type StoredFact } from '../../../shared/stores/journal.ts';
import type { Findings } from '../../../shared/stores/ledger-writer.ts';
import type { ApplicationWork, Work } from './settlement-work.ts';

/** A project that an application named and may not use. */
export const PROJECT_NOT_ALLOWED = 'project-not-allowed';

/** Of one container or application; who repeats a fault a thousand times is told often enough. */
const ANOMALIES_MAX = 100;

const isClaim = (fact: object): fact is ApplicationFact & { readonly claimed: string } =>
  'claimed' in fact;

/** Of the containers that were read whole: a tick of one that runs tells nothing new. */
export function containerFindings(
  works: readonly Work[],
  told: readonly ContainerTold[],
  applications: ReadonlyMap<string, ApplicationWork>,
  rule: WitnessRule,
): Findings[] {
  return works.flatMap(({ cluster, container, record, applicationRef, from }, index) => {
    if (from !== Number.NEGATIVE_INFINITY) return [];
    const { state } = must(applications.get(applicationKey(applicationRef)), 'application');
    const { application, project } = state;
    const facts = record.facts.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
    const anomalies = (told[index]?.anomalies ?? []).slice(0, ANOMALIES_MAX).map(
      ({ anomaly, factId, at, disagreement }): LedgerAnomaly => ({
        anomaly,
        factId,
        at,
        project,
        cluster,
        application,
        container,
        detail: disagreement === undefined ? '{}' : JSON.stringify(disagreement),
      }),
    );
    return [{ cluster, application, container, anomalies, clockPairs: clockPairs(facts, rule) }];
  });
}

/** Claims that were refused, of the applications that new facts are of. */
export function applicationFindings(
  stored: readonly StoredFact[],
  applications: ReadonlyMap<string, ApplicationWork>,
): Findings[] {
  const told = stored.flatMap(({ fact }) => ('rule' in fact ? [applicationKey(fact)] : []));
  return [...new Set(told)].flatMap((key) => {
    const { own, facts, state } = must(applications.get(key), 'application');
    if (!own) return [];
    const { cluster, application, project } = state;
    const claims = facts.filter(isClaim).slice(0, ANOMALIES_MAX);
    const anomalies = claims.map(
      ({ id: factId, at, claimed, user, queue }): LedgerAnomaly => ({
        anomaly: PROJECT_NOT_ALLOWED,
        factId,
        at,
        project,
        cluster,
        application,
        container: '',
        detail: JSON.stringify({ claimed, user, queue }),
      }),
    );
    return [{ cluster, application, container: '', anomalies, clockPairs: [] }];
  });
}

/** What to count: the anomalies that a new fact shows. */
export function newAnomalies(
  facts: readonly StoredFact[],
  told: readonly ContainerTold[],
): string[] {
  const isNew = new Set(facts.map(({ fact }) => fact.id));
  const claims = facts.flatMap(({ fact }) => (isClaim(fact) ? [PROJECT_NOT_ALLOWED] : []));
  const shown = told.flatMap(({ anomalies }) =>
    anomalies
      .filter(
        ({ factId, disagreement }) =>
          isNew.has(factId) || disagreement?.told.some((one) => isNew.has(one.factId)) === true,
      )
      .map(({ anomaly }) => anomaly),
  );
  return [...shown, ...claims];
}
