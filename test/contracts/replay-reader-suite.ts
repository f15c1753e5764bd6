import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import type { ReplayContainer, ReplayReader } from '../../shared/stores/replay-reader.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import { T0 } from '../support/fact-builders.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  ETL,
  LARGE,
  ML,
} from '../support/ledger-builders.ts';

interface OpenLedger extends AsyncDisposable {
  readonly ledgerWriter: LedgerWriter;
  readonly replay: ReplayReader;
}

const WINDOW = { from: T0 + HOUR_MS, until: T0 + 3 * HOUR_MS };

/** Of two projects, before, in and after the window; `at` counts hours. */
async function fill({ ledgerWriter }: OpenLedger): Promise<void> {
  const lives = [
    ['before', 0, 1],
    ['into', 0.5, 1.5],
    ['b-in', 1, 3],
    ['a-in', 2, 2.5],
    ['out', 2.9, 4],
    ['after', 3, 4],
  ] as const;
  const containers = ['yarn-1', 'yarn-2'].flatMap((cluster) =>
    lives.map(([container, from, until]) =>
      aContainer({
        ...{ cluster, container },
        ...{ start: T0 + from * HOUR_MS, end: T0 + until * HOUR_MS },
      }),
    ),
  );
  const applications = [
    anApplication(),
    anApplication({ cluster: 'yarn-2', project: ML }),
    anApplication({ application: 'app-2', start: T0 + HOUR_MS }),
  ];
  const charges = [0, 1, 2, 3].flatMap((hour) => [
    aCharge({ hour: T0 + hour * HOUR_MS }),
    aCharge({ hour: T0 + hour * HOUR_MS, project: ML, digest: 'd2', amount: -3n }),
  ]);
  await ledgerWriter.settle(aSettlement({ containers, applications, charges }));
}

/** What a replay reads, whatever it is stored in. */
export function replayReaderSuite(engine: string, open: () => Promise<OpenLedger>): void {
  test(`${engine}: containers that lived in a window come in pages, each once`, async () => {
    await using store = await open();
    await fill(store);
    const names = ['a-in', 'b-in', 'into', 'out'];
    for (const [project, expected] of [
      [undefined, [...names.map((name) => `yarn-1/${name}`), ...names.map((n) => `yarn-2/${n}`)]],
      [ML, names.map((name) => `yarn-2/${name}`)],
    ] as const) {
      assert.equal(await store.replay.countContainers(WINDOW, project), expected.length);
      const found: string[] = [];
      for (let after: ReplayContainer | undefined; ; ) {
        const page = await store.replay.containers(WINDOW, project, {
          limit: 3,
          ...(after === undefined ? {} : { after }),
        });
        found.push(...page.map(({ cluster, container }) => `${cluster}/${container}`));
        after = page.at(-1);
        if (page.length < 3) break;
      }
      assert.deepEqual(found, expected);
    }
    const [first] = await store.replay.containers(WINDOW, undefined, { limit: 1 });
    assert.deepEqual(
      { ...first },
      { cluster: 'yarn-1', container: 'a-in', application: 'app-1', project: ETL },
    );
  });

  test(`${engine}: what was charged is summed by project, exact beyond 64 bits' halves`, async () => {
    await using store = await open();
    await fill(store);
    const all = await store.replay.charged(WINDOW, undefined);
    assert.deepEqual([...all].sort(), [
      [ETL, 2n * LARGE],
      [ML, -6n],
    ]);
    assert.deepEqual([...(await store.replay.charged(WINDOW, ML))], [[ML, -6n]]);
    const none = { from: T0 + 9 * HOUR_MS, until: T0 + 10 * HOUR_MS };
    assert.deepEqual([...(await store.replay.charged(none, undefined))], []);
    const huge = Array.from({ length: 4 }, (_, i) =>
      aCharge({ hour: T0 + (20 + i) * HOUR_MS, amount: 2n ** 62n + 1n, digest: 'd3' }),
    );
    await store.ledgerWriter.settle(aSettlement({ charges: huge }));
    const far = { from: T0 + 20 * HOUR_MS, until: T0 + 24 * HOUR_MS };
    assert.deepEqual([...(await store.replay.charged(far, ETL))], [[ETL, 4n * (2n ** 62n + 1n)]]);
  });

  test(`${engine}: applications that started in a span are counted, the first by name`, async () => {
    await using store = await open();
    const applications = Array.from({ length: 7 }, (_, i) =>
      anApplication({ application: `app-${i}`, start: T0 + i * HOUR_MS }),
    );
    const charges = [aCharge({ application: 'app-1', amount: 7n })];
    await store.ledgerWriter.settle(
      aSettlement({
        applications: [...applications, anApplication({ application: 'x', project: ML })],
        charges,
      }),
    );
    const span = { from: T0 + HOUR_MS, until: T0 + 7 * HOUR_MS };
    assert.deepEqual(await store.replay.started(ETL, span), {
      applications: 6,
      charged: 7n,
      first: ['app-1', 'app-2', 'app-3', 'app-4', 'app-5'],
    });
    assert.equal((await store.replay.started(ML, span)).applications, 0);
  });
}
