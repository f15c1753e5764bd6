import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { restQuotaCheckRequest } from '../../../shared/contracts/rest.ts';
import { isPlainQuotaRequest, readQuotaRequest } from './read-quota-request.ts';

const amount = fc.oneof(
  fc.nat(2_000_000_000),
  fc.double(),
  fc.constantFrom(0, -1, 0.5, 1e6, 1e9, 1e9 + 1, 2 ** 53, '4', null, true, [], {}),
);
const resources = fc.oneof(
  fc.record(
    { cores: amount, memoryMib: amount, gpus: amount, containers: amount, disks: fc.constant(1) },
    { requiredKeys: [] },
  ),
  fc.constantFrom(null, [], 'all', 1),
);
const text = fc.oneof(
  fc.string({ maxLength: 3 }),
  fc.constantFrom('etl', 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(129), 1, null),
);
const request = fc.record(
  {
    project: text,
    pool: text,
    resources,
    durationMs: fc.oneof(amount, fc.constantFrom(3_650 * 86_400_000, 3_650 * 86_400_000 + 1)),
    duration: fc.constant(1),
  },
  { requiredKeys: [] },
);

test('the quick check and the schema give the same verdict', () => {
  let plain = 0;
  fc.assert(
    fc.property(fc.oneof(request, fc.jsonValue(), fc.constant({ project: 'etl' })), (value) => {
      // As it comes from a body: without undefined, -0 and NaN.
      const json: unknown = JSON.parse(JSON.stringify(value));
      const accepted = restQuotaCheckRequest.safeParse(json).success;
      assert.equal(isPlainQuotaRequest(json), accepted, JSON.stringify(json));
      if (accepted) {
        plain += 1;
        assert.deepEqual(readQuotaRequest(json), restQuotaCheckRequest.parse(json));
      } else assert.throws(() => readQuotaRequest(json), { code: 'BAD_REQUEST' });
    }),
    { numRuns: 2_000 },
  );
  assert.ok(plain > 100, `only ${plain} requests were valid`);
});

test('a key that pollutes prototypes is an unknown one', () => {
  const hostile: unknown = JSON.parse('{"project":"etl","__proto__":{"pool":"x"}}');
  assert.equal(isPlainQuotaRequest(hostile), false);
  assert.throws(() => readQuotaRequest(hostile), { code: 'BAD_REQUEST' });
});
