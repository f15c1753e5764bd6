import type { AlertCost } from '../../../shared/contracts/alert.ts';
import type { ApplicationCost } from '../../../shared/stores/ledger-reader.ts';
import { formatCredits } from '../../../shared/values/money.ts';

/** What an application costs, charged and accrued. */
export function costOf({ perHour, charged, accrued }: ApplicationCost): AlertCost {
  return { perHour: formatCredits(perHour), soFar: formatCredits(charged + accrued) };
}
