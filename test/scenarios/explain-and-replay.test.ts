import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import test from 'node:test';
import { explainCommand } from '../../services/cli/commands/explain-command.ts';
import { replayCommand } from '../../services/cli/commands/replay-command.ts';
import { restReplayResult } from '../../shared/contracts/rest-replay.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { applicationFact, containerFact } from '../support/fact-builders.ts';
import { runCommand } from '../support/run-command.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';

const readFile = (): string => 'rateCard: { coreSecond: "0.0018" }\n';
const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });

interface Charges {
  readonly charges: readonly { readonly id: string }[];
}

/** Facts of one container that ran for an hour and a half, some hours ago. */
function pushed(): string {
  const start = Date.now() - 5 * HOUR_MS;
  const ref = { application: 'app-1', container: 'app-1/1/1' };
  const facts = [
    applicationFact('application-seen', start, { project: 'etl' as ProjectId }),
    containerFact('container-started', start, ref),
    containerFact('container-stopped', start + 1.5 * HOUR_MS, ref),
  ];
  // The door says who told it and by which rule.
  const told = { witness: undefined, rule: undefined };
  return facts.map((fact) => `${JSON.stringify({ ...fact, ...told })}\n`).join('');
}

async function charged(folder: string, more: object): Promise<RunningTollgate> {
  const running = await RunningTollgate.start(folder, { metrics: { graphite: [] }, ...more });
  const headers = { 'tollgate-cluster': 'yarn-1', 'tollgate-project': 'etl' };
  const answer = await running.post('/v1/ingest/containers', pushed(), headers);
  const text = await answer.text();
  assert.equal(JSON.parse(text).quarantined, 0, text);
  return running;
}

for (const threads of [true, false]) {
  test(`a charge is explained and a window replayed by a running Tollgate, threads: ${threads}`, async () => {
    await using folder = await temporaryFolder();
    await using running = await charged(folder.path, { threads });
    const ask = async () => {
      const response = await fetch(`${running.url}/v1/projects/etl/charges?from=-1d`);
      return response.ok ? ((await response.json()) as Charges).charges : [];
    };
    const [row] = await running.until(ask, (charges) => charges.length >= 2);
    for (const id of [row?.id ?? '', 'app-1']) {
      const args = ['explain', '-p', 'etl', id, '--url', running.url];
      const told = await runCommand(explainCommand, args);
      assert.equal(told.exitCode, 0, told.err);
      assert.match(told.out, /^recomputed [\d,]+ nanocredits = ledger$/m);
    }
    const args = ['replay', '--tariff', 'f', '--from', '-9h', '--to', 'now', '--json'];
    const command = (io: Parameters<typeof explainCommand>[0]) => replayCommand(io, nowhere);
    for (let turn = 0; turn < 2; turn += 1) {
      const world = { readFile };
      const { out, err } = await runCommand(command, [...args, '--url', running.url], world);
      assert.notEqual(out, '', err);
      const { total, containers } = restReplayResult.parse(JSON.parse(out));
      assert.equal(containers, 1);
      // 2 cores and 4 GiB for 5,400 s: 0.0022 credits a second, then 0.004.
      assert.deepEqual([total.charged, total.replayed], ['11.88', '21.6']);
    }
    assert.equal(await running.stop(), 0);
  });
}
