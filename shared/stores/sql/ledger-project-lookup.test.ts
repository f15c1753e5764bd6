import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { ApplicationState } from '../ledger-writer.ts';
import { openLedgerProjectLookup } from './ledger-project-lookup.ts';
import { openLedger } from './open-ledger.ts';

function state(application: string, project: string): ApplicationState {
  return {
    cluster: 'main',
    application,
    project: project as ProjectId,
    name: 'a',
    user: 'u',
    queue: '',
    attempts: [],
    tags: {},
    url: '',
    start: 0,
    ended: undefined,
  };
}

test('an application becomes known soon after its first settlement, in its own cluster only', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-lookup-'));
  try {
    const file = join(folder, 'ledger.db');
    const clock = new FakeClock();
    await using ledger = await openLedger({ file });
    await using lookup = openLedgerProjectLookup(file, clock);
    assert.equal(lookup.projectOf('main', 'app-1'), undefined);
    const settle = (application: string, project: string) =>
      ledger.ledgerWriter.settle({
        shard: 0,
        read: [],
        charges: [],
        applications: [state(application, project)],
        containers: [],
        restate: [],
        cursor: 0,
        asOf: clock.now(),
      });
    await settle('app-1', 'etl');
    assert.equal(lookup.projectOf('main', 'app-1'), undefined, 'believed for two seconds');
    await clock.advance(2_000);
    assert.equal(lookup.projectOf('main', 'app-1'), 'etl');
    assert.equal(lookup.projectOf('other', 'app-1'), undefined);
    await settle('app-1', 'ads');
    await clock.advance(60_000);
    assert.equal(lookup.projectOf('main', 'app-1'), 'ads');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
