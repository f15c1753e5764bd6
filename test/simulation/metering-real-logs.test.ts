import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import type { Evidence, JournalFact } from '../../shared/contracts/container-fact.ts';
import { EventLogReader } from '../../shared/event-log/event-log-reader.ts';
import { EventLogLines } from '../../shared/event-log/read-event-log.ts';
import { rateQuantity } from '../../shared/rating/rate-interval.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { DEFAULT_RATE_CARD } from '../../shared/values/rate-card.ts';
import { T0 } from '../support/fact-builders.ts';
import { allCharges, netCharges, runMetering } from '../support/metering-run.ts';
import { sharedDataFile } from '../support/shared-data.ts';

/** Executor seconds and core seconds of each log, as the samples' own table has them. */
const LOGS = [
  ['apache-spark/application_1628109047826_1317105', '1696.7', '1696.7'],
  ['apache-spark/app-20200706201101-0003', '360.9', '5774.6'],
  ['apache-spark/application_1578436911597_0052', '32.9', '131.6'],
  ['apache-spark/application_1555004656427_0144', '14.1', '14.1'],
  ['nvidia-rapids-tools/eventlog_4nodes_8cores_dynamic_alloc.zstd', '498.4', '1993.5'],
  ['nvidia-rapids-tools/multiple_attempts/attempt_1_eventlog.zstd', '355.9', '1067.7'],
  ['nvidia-rapids-tools/multiple_attempts/attempt_2_eventlog.zstd', '352.3', '1057.0'],
] as const;

/** The log's facts as a collector that follows it would find them, piece by piece. */
function follow(path: string): { facts: JournalFact[]; evidence: Evidence[] }[] {
  const packed = readFileSync(sharedDataFile(`spark-eventlogs/${path}`));
  const log = path.endsWith('.zstd') ? zstdDecompressSync(packed) : packed;
  const reader = new EventLogReader({
    cluster: 'history',
    attribute: () => ({ project: 'etl' as ProjectId, rule: 0 }),
    fallback: { application: 'unknown', attempt: '' },
  });
  const lines = new EventLogLines(reader);
  const pieces: ReturnType<typeof follow> = [];
  const pieceBytes = Math.ceil(log.byteLength / 12);
  for (let from = 0; from < log.byteLength; from += pieceBytes) {
    lines.push(log.subarray(from, from + pieceBytes));
    pieces.push({ facts: reader.takeFacts(), evidence: reader.evidence() });
  }
  lines.end();
  reader.finish('the file ends here');
  pieces.push({ facts: reader.takeFacts(), evidence: [] });
  return pieces;
}

for (const [path, executorSeconds, coreSeconds] of LOGS) {
  test(`the charges of ${path} add up to the seconds known of it`, async () => {
    const pieces = follow(path);
    await using run = await runMetering(T0, { settleIntervalMs: HOUR_MS });
    for (const { facts, evidence } of pieces) {
      await run.tell(facts, evidence);
      // Within the lease, so that nothing is taken for lost while the log is still being read.
      await run.clock.advance(9 * 60_000);
    }
    const charges = await allCharges(run.ledger);
    const executors = charges.filter(({ role }) => role === 'executor');
    const sum = (member: 'containerMs' | 'millicoreMs') =>
      executors.reduce((total, { quantity }) => total + quantity[member], 0n);
    assert.equal((Number(sum('containerMs')) / 1_000).toFixed(1), executorSeconds);
    assert.equal((Number(sum('millicoreMs')) / 1_000_000).toFixed(1), coreSeconds);
    for (const { quantity, step, amount, type } of charges) {
      if (type !== 'RETRACTION') {
        assert.equal(amount, rateQuantity(quantity, step, DEFAULT_RATE_CARD));
      }
    }
    await using backwards = await runMetering(T0, { settleIntervalMs: HOUR_MS });
    for (const { facts, evidence } of pieces.toReversed()) {
      await backwards.tell(facts.toReversed(), evidence);
      await backwards.tell(facts);
    }
    assert.deepEqual(netCharges(await allCharges(backwards.ledger)), netCharges(charges));
  });
}
