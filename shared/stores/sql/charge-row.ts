import type { Insertable, Selectable } from 'kysely';
import type { Charge, ChargeKind, ChargeType } from '../../contracts/charge.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { LedgerTables } from './ledger-schema.ts';

type ChargeRow = LedgerTables['charge'];

/** @param tagSet id of the row of `tag_set` that holds the charge's tags */
export function rowOfCharge(charge: Charge, tagSet: bigint | number): Insertable<ChargeRow> {
  return {
    id: charge.id,
    type: charge.type,
    project: charge.project,
    cluster: charge.cluster,
    application: charge.application,
    container: charge.container,
    role: charge.role,
    hour: charge.hour,
    step: charge.step,
    container_ms: charge.quantity.containerMs,
    millicore_ms: charge.quantity.millicoreMs,
    mib_ms: charge.quantity.mibMs,
    gpu_ms: charge.quantity.gpuMs,
    amount: charge.amount,
    rate_card: charge.rateCard,
    rule_version: charge.ruleVersion,
    coverage: charge.coverage,
    tag_set: tagSet,
    stored_at: charge.storedAt,
    outcome: charge.outcome ?? '',
    kind: charge.kind === 'usage' ? null : charge.kind,
    booked: charge.booked ?? null,
  };
}

/** @param row a charge joined with the body of its tag set */
export function chargeOfRow(row: Selectable<ChargeRow> & { readonly tags: string }): Charge {
  return {
    id: row.id,
    type: row.type as ChargeType,
    kind: (row.kind ?? 'usage') as ChargeKind,
    project: row.project as ProjectId,
    cluster: row.cluster,
    application: row.application,
    container: row.container,
    role: row.role,
    hour: Number(row.hour),
    step: Number(row.step),
    quantity: {
      containerMs: BigInt(row.container_ms),
      millicoreMs: BigInt(row.millicore_ms),
      mibMs: BigInt(row.mib_ms),
      gpuMs: BigInt(row.gpu_ms),
    },
    amount: BigInt(row.amount),
    rateCard: row.rate_card,
    ruleVersion: row.rule_version,
    coverage: row.coverage as Charge['coverage'],
    tags: row.tags,
    storedAt: Number(row.stored_at),
    ...(row.outcome === '' ? {} : { outcome: row.outcome }),
    booked: row.booked ?? undefined,
  };
}
