import { must } from '../../shared/errors/assert.ts';
import type { GrantStore } from '../../shared/stores/grant-store.ts';
import type { LedgerReader } from '../../shared/stores/ledger-reader.ts';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import type { HoldOutcome, ReservationStore } from '../../shared/stores/reservation-store.ts';
import type { UsageStore } from '../../shared/stores/usage-store.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { T0 } from '../support/fact-builders.ts';
import { ETL } from '../support/ledger-builders.ts';

export interface OpenReservations extends AsyncDisposable {
  readonly reservations: ReservationStore;
  readonly grants: GrantStore;
  readonly usage: UsageStore;
  readonly ledgerReader: LedgerReader;
  readonly ledgerWriter: LedgerWriter;
}

export async function give(store: OpenReservations, amount: bigint, project = ETL): Promise<void> {
  const grant = { id: `g-${project}-${amount}`, project, amount, reason: '', grantedAt: T0 };
  await store.grants.grant(grant);
}

export async function balanceAt(store: OpenReservations, now: number, project: ProjectId = ETL) {
  return must(await store.ledgerReader.balance(project, now), 'a project with a balance');
}

export function codesOf(outcome: HoldOutcome): string[] {
  return outcome.outcome === 'refused' ? outcome.refusals.map(({ code }) => code) : [];
}
