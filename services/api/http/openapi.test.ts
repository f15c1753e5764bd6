import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runningApi } from '../../../test/support/running-api.ts';
import { committedOpenapi } from './write-openapi.ts';

interface Operation {
  readonly summary: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, object>>;
}
interface Document {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

test('the committed description is the one of the code', () => {
  const file = new URL('../openapi.json', import.meta.url);
  const committed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const current: unknown = JSON.parse(JSON.stringify(committedOpenapi()));
  assert.deepEqual(
    committed,
    current,
    'it differs: run  node services/api/http/write-openapi.ts && npx biome format --write services/api/openapi.json',
  );
});

test('the running API describes itself in the same words', async () => {
  await using api = await runningApi();
  const served = (await (await fetch(`${api.url}/v1/openapi.json`)).json()) as Document;
  const committed = JSON.parse(JSON.stringify(committedOpenapi())) as Document;
  assert.deepEqual(served.paths, committed.paths);
});

test('every address that is described is there, and says what its path holds', async () => {
  await using api = await runningApi();
  const { paths } = committedOpenapi() as Document;
  assert.ok(Object.keys(paths).length >= 18);
  for (const [path, methods] of Object.entries(paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const [method, operation] of Object.entries(methods)) {
      const inPath = (operation.parameters ?? []).filter((one) => one.in === 'path');
      assert.deepEqual(
        inPath.map(({ name }) => name),
        names,
      );
      assert.ok(operation.summary.length > 3 && 'default' in operation.responses, path);
      if (path.startsWith('/v1/ingest/')) continue;
      const address = api.url + path.replaceAll(/\{\w+\}/g, 'etl');
      const wrong = await fetch(address, { method: 'PATCH' });
      assert.equal(wrong.status, 405, `${method} ${path}`);
    }
  }
});
