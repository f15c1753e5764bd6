import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GrantStore } from '../../shared/stores/grant-store.ts';
import type { LedgerReader } from '../../shared/stores/ledger-reader.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { T0 } from '../support/fact-builders.ts';

interface OpenGrants extends AsyncDisposable {
  readonly grants: GrantStore;
  readonly ledgerReader: LedgerReader;
}

const ETL = 'etl' as ProjectId;
const grant = { id: 'g1', project: ETL, amount: 5_000n, reason: 'start', grantedAt: T0 };

/** What every grant store does, whatever it is stored in. */
export function grantsSuite(engine: string, open: () => Promise<OpenGrants>): void {
  test(`${engine}: a grant counts once; another body under its id is a conflict`, async () => {
    await using store = await open();
    assert.equal(await store.grants.grant(grant), 'granted');
    assert.equal(await store.grants.grant({ ...grant, grantedAt: T0 + 9 }), 'already-there');
    await assert.rejects(store.grants.grant({ ...grant, amount: 6_000n }), { code: 'CONFLICT' });
    await assert.rejects(store.grants.grant({ ...grant, project: 'ml' as ProjectId }), {
      code: 'CONFLICT',
    });
    assert.deepEqual(await store.grants.grants(ETL), [grant]);
    assert.equal((await store.ledgerReader.balance(ETL))?.granted, 5_000n);
  });

  test(`${engine}: grants given at the same time all count, each once`, async () => {
    await using store = await open();
    const ids = Array.from({ length: 50 }, (_, i) => `g${i % 25}`);
    const results = await Promise.all(
      ids.map((id) => store.grants.grant({ ...grant, id, amount: 3n })),
    );
    assert.equal(results.filter((result) => result === 'granted').length, 25);
    assert.equal((await store.ledgerReader.balance(ETL))?.granted, 75n);
  });

  test(`${engine}: credits are taken back by a negative grant`, async () => {
    await using store = await open();
    await store.grants.grant(grant);
    await store.grants.grant({ ...grant, id: 'g2', amount: -2_000n, grantedAt: T0 + 1 });
    assert.equal((await store.ledgerReader.balance(ETL))?.granted, 3_000n);
    assert.deepEqual(
      (await store.grants.grants(ETL)).map(({ id }) => id),
      ['g1', 'g2'],
    );
  });

  test(`${engine}: a project is known once registered, unlimited until its first grant`, async () => {
    await using store = await open();
    assert.equal(await store.ledgerReader.balance(ETL), undefined);
    await store.grants.register(ETL);
    await store.grants.register(ETL);
    assert.deepEqual(await store.ledgerReader.projects(), ['etl']);
    assert.equal((await store.ledgerReader.balance(ETL))?.unlimited, true);
    await store.grants.grant({ ...grant, amount: 0n });
    await store.grants.register(ETL);
    assert.equal((await store.ledgerReader.balance(ETL))?.unlimited, false);
  });

  test(`${engine}: grants pass the largest 64-bit integer without losing a unit`, async () => {
    await using store = await open();
    const amount = 2n ** 63n - 1n;
    for (const id of ['a', 'b', 'c']) await store.grants.grant({ ...grant, id, amount });
    assert.equal((await store.ledgerReader.balance(ETL))?.granted, amount * 3n);
    await assert.rejects(store.grants.grant({ ...grant, id: 'd', amount: amount + 1n }), {
      code: 'BAD_REQUEST',
    });
  });
}
