import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { AppError } from '../errors/app-error.ts';
import { actConfig } from './act-config.ts';
import { databricksConfig, emrConfig } from './cloud-config.ts';
import {
  type ClusterSettings,
  openActuator,
  openCluster,
  openTargetReader,
} from './open-cluster.ts';

const CLOCK = new FakeClock();
const LIMITS = {
  readWorkers: true,
  timeoutMs: 1_000,
  maxAnswerBytes: 1_000_000,
  parallelRequests: 2,
};
const databricks: ClusterSettings = {
  ...LIMITS,
  type: 'databricks',
  urls: ['https://dbc.example.com'],
  databricks: databricksConfig.parse({ token: 'dapi-secret', clusterId: '1-2-abc' }),
};
const emr: ClusterSettings = {
  ...LIMITS,
  type: 'emr',
  urls: [],
  emr: emrConfig.parse({ region: 'eu-central-1', clusterName: 'etl-*' }),
};

test('every type of cluster has its three doors, and each type its witness', () => {
  const yarn: ClusterSettings = { ...LIMITS, type: 'yarn', urls: ['http://rm:8088'] };
  const inYarn = { ...emr, urls: ['http://rm:8088'] };
  const none = actConfig.parse({});
  const witnesses = [yarn, { ...yarn, type: 'standalone' as const }, databricks, emr, inYarn].map(
    (settings) => {
      openTargetReader(settings, CLOCK);
      assert.deepEqual([...openActuator(settings, none, CLOCK).abilities], []);
      return openCluster(settings, CLOCK).witness;
    },
  );
  assert.deepEqual(witnesses, ['yarn', 'standalone', 'databricks', 'emr', 'yarn']);
});

test('what a type has no means for is refused when it is allowed, not when it is needed', () => {
  const may = (settings: ClusterSettings, names: string[]) => {
    const act = actConfig.parse({
      may: names,
      stopQueues: ['root.etl'],
      capQueue: 'root.capped',
    });
    return [...openActuator(settings, act, CLOCK).abilities];
  };
  const lacks = (settings: ClusterSettings, name: string) =>
    assert.throws(() => may(settings, [name]), new RegExp(`has no ${name}`), settings.type);
  for (const name of ['deny-new-work', 'cap-application', 'limit-lifetime']) lacks(emr, name);
  for (const name of ['cap-application', 'limit-lifetime']) lacks(databricks, name);
  for (const type of ['yarn', 'standalone'] as const) {
    lacks({ ...LIMITS, type, urls: ['http://rm:8088'] }, 'terminate-cluster');
  }
  const both = ['terminate-cluster', 'kill-application'];
  assert.deepEqual(may(databricks, both).sort(), [...both].sort());
  const inYarn = { ...emr, urls: ['http://rm:8088'] };
  assert.deepEqual(may(inYarn, [...both, 'deny-new-work']).sort(), [
    'allow-new-work',
    'deny-new-work',
    'kill-application',
    'terminate-cluster',
  ]);
});

test('settings without a workspace, a token or a cluster are refused without the secret', () => {
  const wrong: ClusterSettings[] = [
    { ...databricks, urls: [] },
    { ...databricks, urls: ['https://a.example.com', 'https://b.example.com'] },
    { ...databricks, urls: ['http://a.example.com'] },
    { ...databricks, databricks: undefined },
    { ...databricks, databricks: databricksConfig.parse({}) },
    { ...emr, emr: undefined },
  ];
  for (const settings of wrong) {
    assert.throws(
      () => openCluster(settings, CLOCK),
      (error) =>
        error instanceof AppError &&
        error.code === 'CONFIG_INVALID' &&
        !error.message.includes('dapi-secret'),
    );
  }
});
