import type { Insertable, Selectable } from 'kysely';
import type { GrantTerms } from '../../grants/grant-terms.ts';
import { canonicalJson } from '../../values/canonical-json.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { Grant } from '../grant-store.ts';
import type { LedgerTables } from './ledger-schema.ts';

interface StoredTerms {
  readonly priority: number;
  readonly validFrom: number;
  readonly expiresAt?: number;
  /** Nanocredits as text. */
  readonly monthly?: { readonly min: string; readonly max: string };
}

function formatTerms({ priority, validFrom, expiresAt, monthly }: GrantTerms): string {
  const stored: StoredTerms = {
    priority,
    validFrom,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(monthly === undefined ? {} : { monthly: { min: `${monthly.min}`, max: `${monthly.max}` } }),
  };
  return canonicalJson(stored);
}

function parseTerms(text: string): GrantTerms {
  const { priority, validFrom, expiresAt, monthly } = JSON.parse(text) as StoredTerms;
  const rollover =
    monthly === undefined ? undefined : { min: BigInt(monthly.min), max: BigInt(monthly.max) };
  return { priority, validFrom, expiresAt, monthly: rollover };
}

export function rowOfGrant(grant: Grant): Insertable<LedgerTables['credit_grant']> {
  const { id, project, amount, reason, grantedAt, terms } = grant;
  const stored = terms === undefined ? null : formatTerms(terms);
  return { id, project, amount, reason, granted_at: grantedAt, terms: stored };
}

export function grantOfRow(row: Selectable<LedgerTables['credit_grant']>): Grant {
  return {
    id: row.id,
    project: row.project as ProjectId,
    amount: BigInt(row.amount),
    reason: row.reason,
    grantedAt: Number(row.granted_at),
    ...(row.terms === null ? {} : { terms: parseTerms(row.terms) }),
  };
}
