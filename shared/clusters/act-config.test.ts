import assert from 'node:assert/strict';
import { test } from 'node:test';
import { abilitiesOf, actConfig } from './act-config.ts';

const problems = (config: object) =>
  actConfig.safeParse(config).error?.issues.map(({ path, message }) => `${path}: ${message}`);

test('nothing may be done unless it is named; each permission brings the way back', () => {
  assert.deepEqual([...abilitiesOf(actConfig.parse({}))], []);
  const config = { may: ['deny-new-work', 'kill-application'], stopQueues: ['root.etl.nightly'] };
  assert.deepEqual(
    [...abilitiesOf(actConfig.parse(config))],
    ['deny-new-work', 'allow-new-work', 'kill-application'],
  );
});

test('all problems are named at once', () => {
  assert.deepEqual(problems({ may: ['deny-new-work', 'cap-application'] }), [
    'stopQueues: deny-new-work needs the queues that may be stopped',
    'capQueue: cap-application needs a queue to cap in',
  ]);
  assert.deepEqual(
    problems({
      may: ['terminate-everything'],
      stopQueues: ['root', 'etl', 'root..a'],
      capQueue: '',
      submissionUrls: ['ftp://x'],
    })?.map((text) => text.split(':')[0]),
    ['may,0', 'stopQueues,0', 'stopQueues,1', 'stopQueues,2', 'capQueue', 'submissionUrls,0'],
  );
});
