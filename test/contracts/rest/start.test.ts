import assert from 'node:assert/strict';
import test from 'node:test';
import { type ApiDeps, type AppParts, startApi } from '../../../services/api/start.ts';
import { AppError } from '../../../shared/errors/app-error.ts';

/** Enough to build the routes, none of which is asked. */
const deps = { pools: [], clusters: [] } as unknown as ApiDeps;
const doors = { isLocal: true, isSecure: false, adminLink: undefined };
const parts = {
  ...{ doors, moduleFiles: {}, webRoot: import.meta.dirname },
} as unknown as AppParts;

test('an address that this machine does not have is an error of the configuration', async () => {
  // An address for documentation (RFC 5737), which no machine has.
  await assert.rejects(
    startApi({ host: '192.0.2.1', port: 0, insecure: true }, deps, parts),
    (error) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.code, 'CONFIG_INVALID');
      assert.match(error.message, /192\.0\.2\.1 .* api\.host/);
      return true;
    },
  );
});

test('an IPv6 address is written in its url as urls do', async () => {
  await using api = await startApi({ host: '::1', port: 0 }, deps, parts);
  assert.match(api.url, /^http:\/\/\[::1\]:\d+$/);
  assert.equal((await fetch(`${api.url}/livez`)).status, 200);
});

test('closing answers what is being asked, then takes nothing more; again, it does nothing', async () => {
  let asked: (() => void) | undefined;
  let release: (() => void) | undefined;
  const waiting = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const held = new Promise<string>((resolve) => {
    release = () => resolve('late 1\n');
  });
  const printMetrics = (): Promise<string> => {
    asked?.();
    return held;
  };
  const own = { ...parts, printMetrics };
  const api = await startApi({ host: '127.0.0.1', port: 0 }, deps, own);
  const answer = fetch(`${api.url}/metrics`);
  await waiting;
  const closed = api[Symbol.asyncDispose]();
  await assert.rejects(fetch(`${api.url}/livez`), 'no new connection');
  release?.();
  assert.equal(await (await answer).text(), 'late 1\n');
  await closed;
  await api[Symbol.asyncDispose]();
});
