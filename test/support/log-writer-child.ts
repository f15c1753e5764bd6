// Goes on behind its checkpoint at every start, ten lines a batch, and prints which batch is
// acknowledged, or `full` when there is no more room. Argument: folder. A test kills it.
import { AppError } from '../../shared/errors/app-error.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { openLogWriter } from '../../shared/stores/sql/log-writer.ts';
import { AT, logRecord } from '../contracts/log-store-suite.ts';

const LINES = 10;
const folder = process.argv[2] ?? '';
const limits = { commitIntervalMs: 0, diskReserveBytes: 0, maxFileBytes: 300_000 };
await using writer = await openLogWriter({ folder, clock: systemClock, limits });
const [checkpoint] = await writer.checkpoints('file');
for (let batch = Number(checkpoint?.position ?? -1) + 1; batch < 100_000; batch += 1) {
  const records = Array.from({ length: LINES }, (_, line) =>
    logRecord({ at: AT + batch, message: `batch${batch} line${line}`, application: `a${batch}` }),
  );
  try {
    await writer.write({ records, checkpoints: [{ source: 'file', position: `${batch}` }] });
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'DISK_FULL')) throw error;
    process.stdout.write('full\n');
    break;
  }
  process.stdout.write(`${batch}\n`);
}
