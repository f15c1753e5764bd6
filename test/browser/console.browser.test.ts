import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
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
  aBalance,
  aCluster,
  aLog,
  anApplication,
  aProject,
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

/** Waits until a table has just so many rows. */
const rows = (page: Page, table: string, count: number) =>
  page
    .locator(`.${table} tbody:not(:has(tr:nth-child(${count + 1}))) tr:nth-child(${count})`)
    .waitFor();

function empty(platform: SamplePlatform): void {
  Object.assign(platform, {
    clusters: [],
    pools: [],
    projects: [],
    applications: [],
    queries: [],
    logs: [],
  });
}

test('the page shows price, load, projects, applications, streams and logs', async () => {
  await using seen = await look();
  const { page } = seen;
  await page.locator('.log').first().waitFor();
  const tiles = page.locator('.tiles');
  await tiles.getByText('1.15 X', { exact: true }).waitFor();
  await tiles.getByText('1.30 X at 10:42 UTC').waitFor();
  assert.match(await textOf(tiles), /474 of 593/);
  assert.match(await textOf(tiles), /4 not OK/);
  await page.getByRole('img', { name: /Load of yarn-prod: 412 of 515 cores/ }).waitFor();
  await page.getByRole('img', { name: /Price of pool cpu: 1\.15 X now, 1\.30 X from/ }).waitFor();

  const analytics = page.locator('.projects tbody tr', { hasText: 'web-analytics' });
  assert.match(await textOf(analytics), /197\.00[\s\S]*31\.02[\s\S]*in 6 h 2\d min/);
  const risk = page.locator('.projects tbody tr', { hasText: 'risk' });
  assert.match(await textOf(risk), /exhausted/);
  const free = page.locator('.projects tbody tr', { hasText: 'sandbox' });
  assert.match(await textOf(free), /no grant[\s\S]*no limit/);

  const nightly = page.locator('.applications tbody tr', { hasText: 'nightly-orders' });
  assert.match(await textOf(nightly), /1 h 32 min[\s\S]*129 cores[\s\S]*42\.50[\s\S]*28\.11/);
  await nightly
    .getByRole('img', {
      name: 'Slot time: useful 70 %, wasted 6 %, idle 15 %, tail 5 %, start-up 4 %',
    })
    .waitFor();

  const verdicts = await page.locator('.streams .badge').allInnerTexts();
  assert.deepEqual(verdicts, ['STOP', 'STALL', 'REWIND', 'WARN', 'OK']);
  await page.getByText('demo data').waitFor();
  await keepPicture(page, 'wide-light');
});

test('outside the demo there is no demo label', async () => {
  await using seen = await look((platform) => {
    platform.mode = 'start';
  });
  await seen.page.locator('.log').first().waitFor();
  assert.equal(await seen.page.getByText('demo data').count(), 0);
});

test('choosing a project narrows the page, stands in the address and is undone by going back', async () => {
  await using seen = await look();
  const { page } = seen;
  await page.getByLabel('Project', { exact: true }).selectOption('ml-training');
  await page.locator('.applications', { hasText: 'ranker-fit' }).waitFor();
  assert.equal(new URL(page.url()).search, '?project=ml-training');
  await rows(page, 'applications', 1);
  await page.getByText('No logs in this time').waitFor();
  await page.goBack();
  await page.locator('.applications', { hasText: 'nightly-orders' }).waitFor();
  assert.equal(await page.getByLabel('Project', { exact: true }).inputValue(), '');
  await page.goForward();
  await rows(page, 'applications', 1);
});

test('links of an application lead to its Spark UI, its manager and its logs at that minute', async () => {
  await using seen = await look();
  const { page } = seen;
  const row = page.locator('.applications tbody tr', { hasText: 'nightly-orders' });
  const id = 'application_1763712000000_0003';
  const href = (name: string) => row.getByRole('link', { name }).getAttribute('href');
  assert.equal(await href('Spark UI'), `http://yarn.example:8088/proxy/${id}/`);
  assert.equal(await href('Manager'), `http://yarn.example:8088/cluster/app/${id}`);
  assert.equal(await row.getByRole('link', { name: 'Spark UI' }).getAttribute('rel'), 'noreferrer');
  await row.getByRole('link', { name: 'Logs' }).click();
  const query = new URL(page.url()).searchParams;
  assert.equal(query.get('application'), id);
  assert.equal(query.get('project'), 'etl');
  assert.match(query.get('until') ?? '', /^2026-11-21T10:31:0/);
  await page.locator('.log').first().waitFor();

  await page.locator('.log-time').first().click();
  await page.getByRole('button', { name: /Remove the filter: container/ }).waitFor();

  await page.goto(seen.server.url);
  await page.getByRole('button', { name: 'Ended' }).click();
  const ended = page.locator('.applications tbody tr', { hasText: 'hourly-refunds' });
  const history = ended.getByRole('link', { name: 'History' });
  assert.match((await history.getAttribute('href')) ?? '', /^https:\/\/history\.example\//);
  assert.match(await textOf(ended), /4 h ago[\s\S]*after 1 h[\s\S]*end inferred/);
});

test('on a phone nothing scrolls sideways, whatever the names', async () => {
  await using seen = await look((platform) => {
    platform.projects.push(aProject(NOW, { id: 'a-project-name-'.repeat(12) }));
    platform.applications.push(anApplication(NOW, { id: 'app', name: 'w'.repeat(300) }));
    platform.clusters.push(aCluster(NOW, `cluster-${'n'.repeat(90)}`, 4));
  }, PHONE);
  const { page } = seen;
  await page.locator('.log').first().waitFor();
  assert.equal(await sidewaysScroll(page), 0);
  await keepPicture(page, 'phone');
  await page.getByRole('link', { name: 'Logs', exact: true }).first().click();
  await keepPicture(page, 'phone-logs');
});

test('the theme follows the system until it is switched, and the choice is kept', async () => {
  await using seen = await look(undefined, { colorScheme: 'dark' });
  const { page } = seen;
  await page.locator('.log').first().waitFor();
  const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
  assert.equal(await background(), 'rgb(13, 16, 21)');
  await keepPicture(page, 'wide-dark');
  await page.getByRole('button', { name: 'Switch between light and dark' }).click();
  assert.equal(await background(), 'rgb(246, 247, 249)');
  await page.reload();
  assert.equal(await background(), 'rgb(246, 247, 249)');
});

test('when nothing answers the page keeps its data, says how old it is, and comes back', async () => {
  await using seen = await look();
  const { page, server } = seen;
  await page.locator('.log').first().waitFor();
  const height = await page.evaluate<number>('document.body.scrollHeight');
  await server.goAway();
  await page.getByText('Tollgate does not answer').waitFor();
  assert.match(await textOf(page.locator('.away')), /data of 10:30:\d\d UTC/);
  assert.equal(await page.locator('.projects tbody tr').count(), 6);
  assert.equal(await page.evaluate<number>('document.body.scrollHeight'), height);
  await keepPicture(page, 'away');
  const [etl] = server.platform.projects;
  assert.ok(etl);
  etl.balance = aBalance(NOW, 'etl', { balance: '5555.5' });
  await server.listen();
  await page.getByRole('button', { name: 'Retry now' }).click();
  await page.getByText('5,555.50').waitFor();
  // It goes when the last section has its answer, which may be later.
  await page.getByText('Tollgate does not answer').waitFor({ state: 'detached' });
});

test('an empty platform says what to do', async () => {
  await using seen = await look(empty);
  const { page } = seen;
  for (const text of [
    'No cluster is configured',
    'No price yet',
    'No project yet',
    'No application is running',
    'No streaming query reports',
    'No logs in this time',
  ]) {
    await page.getByText(text).waitFor();
  }
  await keepPicture(page, 'empty');
});

test('one project with nothing running is shown whole', async () => {
  await using seen = await look((platform) => {
    empty(platform);
    platform.projects = [
      aProject(NOW, { id: 'only', balance: aBalance(NOW, 'only', { burnPerHour: '0' }) }),
    ];
  });
  const { page } = seen;
  await page.locator('.projects tbody tr', { hasText: 'nothing runs' }).waitFor();
  await page.getByText('No application is running').waitFor();
});

test('two hundred projects are a short list, and few of them are asked for their work', async () => {
  await using seen = await look((platform) => {
    platform.projects = Array.from({ length: 200 }, (_, i) =>
      aProject(NOW, {
        id: `team-${i}`,
        balance: aBalance(NOW, `team-${i}`, { burnPerHour: String(i) }),
      }),
    );
    platform.logs = [aLog(NOW, { key: 'busy', project: 'team-199' })];
  });
  const { page, server } = seen;
  await page.locator('.log').first().waitFor();
  assert.equal(await page.locator('.projects tbody tr').count(), 10);
  await page.getByText('of the 8 projects that spend most').waitFor();
  const projects = new Set(
    server.asked.flatMap((path) => /^\/v1\/projects\/([^/]+)\/logs/.exec(path)?.[1] ?? []),
  );
  assert.equal(projects.size, 8);
  assert.ok(projects.has('team-199'));
  await page.getByRole('button', { name: 'Show all 200 projects' }).click();
  await rows(page, 'projects', 200);
});

test('an unknown project in the address is told, and the way out is there', async () => {
  await using seen = await look(undefined, { path: '/?project=gone' });
  const { page } = seen;
  await page.getByText('There is no project gone.').first().waitFor();
  await page.getByLabel('Project', { exact: true }).selectOption('');
  await page.locator('.log').first().waitFor();
  assert.equal(await page.getByText('There is no project gone.').count(), 0);
});

test('a hidden page asks nothing, and asks at once when it is looked at again', async () => {
  await using seen = await look();
  const { page, server } = seen;
  await page.clock.install();
  await page.reload();
  await page.locator('.log').first().waitFor();
  const hide = (hidden: boolean) =>
    page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, value: ${hidden} });
      document.dispatchEvent(new Event('visibilitychange'));`);
  /** Lets the page's time pass in turns, so that answers come in between. */
  const pass = async (seconds: number) => {
    for (let i = 0; i < seconds; i++) await page.clock.runFor(1_000);
  };
  const before = server.asked.length;
  await pass(10);
  assert.ok(server.asked.length > before, 'a page that is seen asks');

  await hide(true);
  await pass(10);
  const asked = server.asked.length;
  await pass(60);
  assert.equal(server.asked.length, asked);
  const answer = page.waitForResponse((response) => response.url().endsWith('/v1/status'));
  await hide(false);
  await answer;
});

test('the page is used by keyboard alone', async () => {
  await using seen = await look();
  const { page } = seen;
  await page.locator('.log').first().waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate('document.activeElement.id'), 'main');
  const link = page.locator('.projects').getByRole('link', { name: 'web-analytics' });
  await link.focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/project=web-analytics/);
  const partitions = page.locator('.streams').getByRole('button', { name: /2 partitions/ });
  await partitions.focus();
  await page.keyboard.press('Enter');
  await page.locator('.partitions').getByText('sessions/0').waitFor();
  assert.equal(await partitions.getAttribute('aria-expanded'), 'true');
});
