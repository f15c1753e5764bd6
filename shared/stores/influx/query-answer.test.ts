import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type AnswerPart, readAnswer, TOO_LARGE_A_SUM } from './query-answer.ts';

async function read(text: string, cuts: readonly number[] = []): Promise<AnswerPart[]> {
  const bytes = Buffer.from(text);
  const edges = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let i = 1; i < edges.length; i += 1) yield bytes.subarray(edges[i - 1], edges[i]);
  }
  const parts: AnswerPart[] = [];
  for await (const part of readAnswer(pieces())) parts.push(part);
  return parts;
}

const CHUNKED =
  '{"results":[{"statement_id":0,"series":[{"name":"m","tags":{"a":"ü%0A","b":""},' +
  '"columns":["time","last"],"values":[[1,-0],[2,1e+300]],"partial":true}],"partial":true}]}\n' +
  '{"results":[{"statement_id":1,"series":[{"name":"m","tags":{"__proto__":"%_"},' +
  '"columns":["time","last"],"values":[[3,4]]}]}]}\n';

test('an answer cut anywhere reads the same, with the tags as they were written', async () => {
  const whole = await read(CHUNKED);
  assert.deepEqual(
    whole.map(({ statement, tags, rows }) => [statement, Object.entries(tags), rows]),
    [
      [
        0,
        [['a', 'ü\n']],
        [
          [1, -0],
          [2, 1e300],
        ],
      ],
      [1, [['__proto__', '']], [[3, 4]]],
    ],
  );
  const cut = fc.nat(Buffer.byteLength(CHUNKED));
  await fc.assert(
    fc.asyncProperty(fc.array(cut, { maxLength: 8 }), async (cuts) => {
      assert.deepEqual(await read(CHUNKED, cuts), whole);
    }),
    { numRuns: 50 },
  );
});

test('a failed statement is an error that says what to do', async () => {
  const one = (error: string): string => JSON.stringify({ results: [{ statement_id: 0, error }] });
  await assert.rejects(read(one('retention policy not found: raw')), {
    code: 'STORE_MISCONFIGURED',
    message: /stores init/,
  });
  await assert.rejects(read(one('timeout')), { code: 'STORE_UNAVAILABLE' });
  await assert.rejects(read('{"error":"json: unsupported value: +Inf"}'), {
    code: 'BAD_REQUEST',
    message: TOO_LARGE_A_SUM,
  });
  assert.deepEqual(await read('{"results":[{"statement_id":0}]}'), []);
});
