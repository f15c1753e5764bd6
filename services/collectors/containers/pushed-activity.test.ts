import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { ContainersBench } from '../../../test/support/containers-bench.ts';
import { aCharge, anApplication, aSettlement, ETL } from '../../../test/support/ledger-builders.ts';

const NOW = Date.UTC(2026, 10, 21, 9);

const activity = (more: object = {}) => ({
  ...{ kind: 'activity', application: 'app-1', attempt: '1', at: NOW },
  ...{ slotMs: 4, usefulMs: 2, wastedMs: 0, idleMs: 2, tailMs: 0, startUpMs: 0 },
  ...more,
});

test('pushed slot time stands until a later one, however often it is sent', async () => {
  await using bench = await ContainersBench.open(NOW);
  const collector = await bench.start({});
  const send = (...records: readonly object[]) =>
    collector.ingest({
      body: new TextEncoder().encode(records.map((one) => JSON.stringify(one)).join('\n')),
      project: 'science' as ProjectId,
      cluster: 'main',
      receivedAt: NOW,
    });
  assert.equal((await send(activity({ at: NOW - 1 }), activity(), activity())).stored, 3);
  assert.equal((await send(activity({ at: NOW - 2, usefulMs: 0, idleMs: 4 }))).stored, 1);
  const { ledgerWriter, spending } = bench.ledger;
  const ref = { cluster: 'main', application: 'app-1' };
  await ledgerWriter.settle(
    aSettlement({ applications: [anApplication(ref)], charges: [aCharge(ref)] }),
  );
  const [spent] = await spending.spending(ETL, { from: 0, until: NOW + 1 });
  assert.deepEqual([spent?.slots?.usefulMs, spent?.slots?.idleMs], [2, 2]);
});
