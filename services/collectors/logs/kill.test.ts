import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, renameSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openLogReader } from '../../../shared/stores/sql/log-reader.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';

const PROCESS = fileURLToPath(new URL('../../../test/support/logs-process.ts', import.meta.url));
const ETL = 'etl' as ProjectId;
const EVER = { from: 0, until: Date.UTC(2040, 0, 1), limit: 1_000 };

type Child = ChildProcessByStdio<null, Readable, null>;

async function run(data: string, logs: string): Promise<{ child: Child; port: number }> {
  const child = spawn(process.execPath, [PROCESS, data, logs], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  return { child, port: Number(String(line)) };
}

async function kill(child: Child): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function messages(data: string, text: string): Promise<string[]> {
  await using reader = await openLogReader({ folder: join(data, 'logs') });
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await reader.search(ETL, {
      ...EVER,
      text,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.records.map(({ message }) => message));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

/** A search opens every file, and would take the time of the process that it looks at. */
const POLL_MS = 25;

/** Polls what the other process stores; the store is the only thing that tells. */
async function until(done: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 10_000 / POLL_MS; tries += 1) {
    if (await done()) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  assert.fail('it never came');
}

test('kills at any moment lose no line of a file and repeat none', {
  timeout: 60_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'logs-kill-'));
  const [data, logs] = [join(folder, 'data'), join(folder, 'in')];
  mkdirSync(join(logs, 'app_1'), { recursive: true });
  mkdirSync(data);
  const path = join(logs, 'app_1', 'x.log');
  let written = 0;
  const append = (count: number): void => {
    let text = '';
    for (let i = 0; i < count; i += 1, written += 1) {
      text += `26/11/21 07:00:00 INFO File: line ${written}\n\tat trace ${written}\n`;
    }
    appendFileSync(path, text);
  };
  for (let round = 0; round < 5; round += 1) {
    append(500);
    const { child } = await run(data, logs);
    const before = written;
    append(300 + 200 * round);
    if (round % 2 === 1) {
      renameSync(path, `${path}.${round}`);
      append(200);
    }
    // Killed while it is at work on what was just written.
    await until(async () => (await messages(data, `line ${before - 1}`)).length > 0);
    append(100);
    await kill(child);
  }
  const { child } = await run(data, logs);
  await until(async () => (await messages(data, `line ${written - 1}`)).length > 0);
  const found = await messages(data, 'file');
  await kill(child);
  assert.equal(found.length, written);
  assert.equal(new Set(found).size, written);
  assert.ok(found.every((message) => /^line (\d+)\n\tat trace \1$/.test(message)));
  await rm(folder, { recursive: true });
});

test('what was spooled of TCP survives a kill, each line once', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'logs-kill-'));
  const data = join(folder, 'data');
  mkdirSync(data);
  let sent = 0;
  let lost = 0;
  for (let round = 0; round < 3; round += 1) {
    const { child, port } = await run(data, join(folder, 'in'));
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    for (let i = 0; i < 2_000; i += 1, sent += 1) {
      socket.write(
        `{"ts":"2026-11-21T07:00:00Z","level":"INFO","logger":"Tcp","msg":"line ${sent}"}\n`,
      );
    }
    const first = sent - 2_000;
    await until(async () => (await messages(data, `line ${first}`)).length > 0);
    await kill(child);
    socket.destroy();
  }
  const { child } = await run(data, join(folder, 'in'));
  let found: string[] = [];
  let same = 0;
  // Whatever is in the spool comes; the rest was never read, and is bounded by the last piece.
  await until(async () => {
    const next = await messages(data, 'tcp');
    same = next.length === found.length ? same + 1 : 0;
    found = next;
    return same * POLL_MS > 100;
  });
  lost = sent - found.length;
  await kill(child);
  assert.equal(new Set(found).size, found.length);
  assert.ok(found.length >= 3 && lost >= 0, `${lost} lost of ${sent}`);
  await rm(folder, { recursive: true });
});
