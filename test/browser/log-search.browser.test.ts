import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import {
  keepPicture,
  lookAtConsole,
  NOW,
  PHONE,
  sidewaysScroll,
  textOf,
} from './support/look-at-console.ts';
import { launchChromium } from './support/open-console.ts';
import {
  aLog,
  anApplication,
  aProject,
  aQuery,
  type SamplePlatform,
} from './support/sample-platform.ts';

let browser: Browser;
before(async () => {
  browser = await launchChromium();
});
after(() => browser.close());

const look = (
  change?: (platform: SamplePlatform) => void,
  options?: BrowserContextOptions & { path?: string },
) => lookAtConsole(browser, change, options);

const HOSTILE = '<img src=x onerror="document.title=\'owned\'"> __proto__ </script>';

test('a shared address opens the same search', async () => {
  await using seen = await look(undefined, {
    path: '/?project=etl&text=block&level=WARN&range=6h',
  });
  const { page } = seen;
  await page.locator('.log').first().waitFor();
  assert.equal(await page.getByLabel('Text').inputValue(), 'block');
  assert.equal(await page.getByLabel('Level').inputValue(), 'WARN');
  assert.equal(await page.getByLabel('Time, UTC').inputValue(), '6h');
  const levels = new Set(await page.locator('.log-level').allInnerTexts());
  assert.deepEqual([...levels].sort(), ['ERROR', 'WARN']);
  assert.equal(await textOf(page.locator('.log mark').first()), 'block');
  const asked = seen.server.asked.find((path) => path.startsWith('/v1/projects/etl/logs'));
  assert.match(asked ?? '', /text=block&level=WARN.*from=2026-11-21T04%3A3/);
});

test('typing searches, a stack trace opens, and following brings new lines to the top', async () => {
  await using seen = await look();
  const { page, server } = seen;
  await page.locator('.log').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('FileSystemException');
  await page.locator('.logs:not(:has(.log:not(.level-error))) .log').first().waitFor();
  await page.waitForURL(/text=FileSystemException/);
  const first = page.locator('.log').first();
  await first.getByRole('button', { name: '+6 lines' }).click();
  assert.match(await textOf(first.locator('pre')), /Caused by: java\.nio\.file/);
  assert.equal(await textOf(first.locator('mark')), 'FileSystemException');
  await first.getByRole('button', { name: 'less' }).click();
  assert.equal(await first.locator('pre').count(), 0);

  const at = new Date(NOW + 1_000).toISOString();
  const message = 'FileSystemException seen just now';
  server.platform.logs.unshift(aLog(NOW, { key: 'new', at, message, level: 'ERROR' }));
  await page.locator('.log').first().getByText('seen just now').waitFor();
});

test('repeats are grouped by fingerprint, and a group shows its lines', async () => {
  await using seen = await look(undefined, { path: '/?project=etl' });
  const { page } = seen;
  await page.getByRole('button', { name: 'Group repeats' }).click();
  const group = page.locator('.groups .log', { hasText: 'Exception in task' });
  assert.match(await textOf(group), /^13ERROR/);
  await keepPicture(page, 'groups');
  await group.getByRole('button', { name: 'show its lines' }).click();
  await page.getByRole('button', { name: /only repeats of eeee0000eeee0000/ }).waitFor();
  await page.locator('.log-time').first().waitFor();
  assert.deepEqual(new Set(await page.locator('.log-level').allInnerTexts()), new Set(['ERROR']));
  await page.getByRole('button', { name: /Remove the filter: only repeats/ }).click();
  await page.locator('.log.level-info').first().waitFor();
});

test('older lines are added on demand, and the list stays bounded', async () => {
  await using seen = await look(
    (platform) => {
      platform.logs = Array.from({ length: 1500 }, (_, i) =>
        aLog(NOW, { key: `many${i}`, at: new Date(NOW - i * 100).toISOString() }),
      );
    },
    { path: '/?project=etl' },
  );
  const { page } = seen;
  const lines = (count: number) =>
    page
      .locator(`.logs:not(:has(.log:nth-child(${count + 1}))) .log:nth-child(${count})`)
      .waitFor();
  await lines(200);
  for (const count of [400, 600, 800, 1000]) {
    await page.getByRole('button', { name: 'Show older' }).click();
    await lines(count);
  }
  await page.getByText('narrow the search to see older ones').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Show older' }).count(), 0);
});

test('hostile text in names and logs is shown as text', async () => {
  await using seen = await look((platform) => {
    const [project] = platform.projects;
    assert.ok(project);
    platform.projects = [
      aProject(NOW, { id: HOSTILE, name: HOSTILE, tags: { [HOSTILE]: HOSTILE } }),
      aProject(NOW, { id: '__proto__' }),
    ];
    const links = {
      sparkUi: 'javascript:document.title="owned"',
      manager: 'data:text/html,<script>1</script>',
      logs: 'https://logs.example/a?b="><script>',
    };
    platform.applications = [
      anApplication(NOW, { id: HOSTILE, project: HOSTILE, name: HOSTILE, links }),
    ];
    platform.queries = [aQuery(NOW, { id: HOSTILE, name: HOSTILE, project: HOSTILE })];
    platform.logs = [
      aLog(NOW, { key: 'h1', project: HOSTILE, message: HOSTILE, logger: HOSTILE }),
      aLog(NOW, { key: 'h2', project: HOSTILE, message: `${HOSTILE}\n${HOSTILE}` }),
      aLog(NOW, { key: 'h3', project: HOSTILE, message: 'x'.repeat(200_000) }),
    ];
  }, PHONE);
  const { page } = seen;
  const line = page.locator('.log', { hasText: 'onerror' }).first();
  await line.waitFor();
  await page.getByLabel('Text').fill('<img');
  await page.locator('.log mark').first().waitFor();
  assert.equal(await textOf(page.locator('.log mark').first()), '<img');
  assert.equal(await page.locator('main img, main script').count(), 0);
  assert.equal(await page.title(), 'Tollgate');
  assert.equal(await sidewaysScroll(page), 0);
  const links = await page
    .locator('.links-cell a')
    .evaluateAll((all) => all.map((link) => [link.textContent, link.getAttribute('href')]));
  assert.deepEqual(
    links.map(([text]) => text),
    ['Logs', 'Log files'],
  );
  assert.match(links[1]?.[1] ?? '', /^https:\/\/logs\.example\/a\?b=%22%3E%3Cscript%3E$/);
});
