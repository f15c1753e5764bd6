// Settles one fact after another behind the ledger's cursor at every start, and prints the cursor
// that is acknowledged, or `full` when there is no more room. Argument: file. A test kills it.
import { AppError } from '../../shared/errors/app-error.ts';
import { openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import { containerFact, T0 } from './fact-builders.ts';
import { journalBatch } from './journal-batch.ts';
import { aCharge, aContainer, anApplication, aSettlement } from './ledger-builders.ts';

await using ledger = await openLedger({ file: process.argv[2] ?? '' });
const start = await ledger.ledgerWriter.cursor(0);

async function settleFact(n: number): Promise<void> {
  const facts = [containerFact('container-started', T0 + n, { container: `c${n}` })];
  const checkpoints = [{ source: 'file', position: `${n}` }];
  await ledger.journalWriter.record(journalBatch({ facts, checkpoints }), T0 + n);
  await ledger.ledgerWriter.settle(
    aSettlement({
      charges: [aCharge({ container: `c${n}`, digest: `d${n}`, hour: T0 + n * HOUR_MS })],
      containers: [aContainer({ container: `c${n}`, accrued: BigInt(n) })],
      applications: n === 1 ? [anApplication()] : [],
      cursor: n,
      asOf: T0 + n,
    }),
  );
}

for (let n = start + 1; n < 100_000; n += 1) {
  try {
    await settleFact(n);
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'DISK_FULL')) throw error;
    process.stdout.write('full\n');
    break;
  }
  process.stdout.write(`${n}\n`);
}
