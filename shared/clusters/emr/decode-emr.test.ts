import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { sharedDataFile } from '../../../test/support/shared-data.ts';
import { decodeEmrCluster, decodeInstance, decodeInstanceType, decodeStep } from './decode-emr.ts';

const sample = (name: string) =>
  JSON.parse(readFileSync(sharedDataFile(`aws/aws-cli-examples/${name}.json`), 'utf8'));

test('recorded answers are read, times as seconds with a fraction', () => {
  const { Cluster } = sample('describe-cluster-instance-groups');
  const cluster = decodeEmrCluster(Cluster);
  assert.equal(cluster?.startedAt, 1_436_474_656_563);
  assert.equal(cluster?.protected, true);
  assert.deepEqual(
    [...(cluster?.groups.values() ?? [])],
    [
      { market: 'on-demand', type: 'm3.large' },
      { market: 'on-demand', type: 'm3.large' },
    ],
  );
  const fleets = decodeEmrCluster(sample('describe-cluster-instance-fleets').Cluster);
  assert.deepEqual([fleets?.protected, fleets?.groups.size], [false, 0]);
  const old = sample('list-instances').Instances.map((row: unknown) =>
    decodeInstance(row, cluster?.groups ?? new Map()),
  );
  assert.deepEqual(old[0], {
    id: 'i-f19ecfee',
    host: 'ip-172-21-11-216.us-west-2.compute.internal',
    type: 'm3.large',
    market: 'on-demand',
  });
  assert.equal(decodeInstance(sample('list-instances1').Instances[0], new Map()), 'gone');
  assert.equal(decodeEmrCluster(sample('list-clusters').Clusters[0])?.state, 'WAITING');
});

test('decoders take anything and never throw', () => {
  const keys = ['Id', 'Status', 'State', 'Timeline', 'Tags', 'InstanceGroups', 'Ec2InstanceId'];
  const anything = fc.anything({ key: fc.constantFrom(...keys, '__proto__'), withDate: true });
  fc.assert(
    fc.property(fc.oneof(anything, fc.dictionary(fc.constantFrom(...keys), anything)), (row) => {
      decodeEmrCluster(row);
      decodeInstance(row, new Map());
      decodeStep(row);
      decodeInstanceType(row);
    }),
    { numRuns: 1_000, verbose: 1 },
  );
});
