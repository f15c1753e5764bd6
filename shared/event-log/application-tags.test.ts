import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applicationTags } from './application-tags.ts';

const tags = (properties: Record<string, string>) =>
  applicationTags(new Map(Object.entries(properties)));

test('tags come from YARN, Kubernetes and Databricks, and the own ones win', () => {
  assert.deepEqual(
    tags({
      'spark.yarn.tags': 'team:payments,env=test,plain',
      'spark.kubernetes.driver.label.Tenant': 'acme',
      'spark.databricks.clusterUsageTags.clusterAllTags':
        '[{"key":"Vendor","value":"Databricks"},{"key":"team","value":"etl"},7,null]',
      'spark.tollgate.tag.team': 'finance',
      'spark.other': 'x',
    }),
    { team: 'finance', env: 'test', Tenant: 'acme', Vendor: 'Databricks' },
  );
});

test("Databricks' tags that are redacted or cut short give none", () => {
  for (const text of ['*********(redacted)', '[{"key":"a"', '{}', 'null', '"x"']) {
    assert.deepEqual(tags({ 'spark.databricks.clusterUsageTags.clusterAllTags': text }), {});
  }
});

test('a tag cannot touch a prototype, nor can tags grow without end', () => {
  const proto = tags({
    'spark.tollgate.tag.__proto__': 'x',
    'spark.tollgate.tag.constructor': 'y',
  });
  assert.deepEqual(Object.entries(proto), [['constructor', 'y']]);
  const many = Object.fromEntries(
    Array.from({ length: 200 }, (_, n) => [`spark.tollgate.tag.${n}`, 'x'.repeat(1000)]),
  );
  const kept = Object.entries(tags(many));
  assert.equal(kept.length, 64);
  assert.ok(kept.every(([, value]) => value.length === 256));
});
