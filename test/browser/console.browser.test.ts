import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { FixtureServer } from './support/fixture-server.ts';
import { launchChromium, type OpenConsole, openConsole } from './support/open-console.ts';
import {
  aBalance,
  aCluster,
  aLog,
  anApplication,
  aProject,
  aQuery,
  type SamplePlatform,
  samplePlatform,
} from './support/sample-platform.ts';

const NOW = Date.parse('2026-11-21T10:30:00.000Z');
const HOSTILE = '<img src=x onerror="document.title=\'owned\'"> __proto__ </script>';
const PHONE: BrowserContextOptions = {
  viewport: { width: 360, height: 740 },
  hasTouch: true,
  isMobile: true,
};

let browser: Browser;
let pictures: string;

before(async () => {
  browser = await launchChromium();
  const chosen = process.env['SCREENSHOTS'];
  if (chosen !== undefined) mkdirSync(chosen, { recursive: true });
  pictures = chosen ?? mkdtempSync(join(tmpdir(), 'tollgate-console-'));
});
after(() => browser.close());

interface Seen extends OpenConsole {
  readonly server: FixtureServer;
}

/** A page that looks at a platform; what it must never do is checked when it is closed. */
async function look(
  change: (platform: SamplePlatform) => void = () => {},
  options: BrowserContextOptions & { path?: string } = {},
): Promise<Seen> {
  const platform = samplePlatform(() => NOW);
  change(platform);
  const server = new FixtureServer(platform);
  await server.listen();
  const { path = '/', ...context } = options;
  const opened = await openConsole(browser, server.url + path, context);
  return {
    ...opened,
    server,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      assert.deepEqual(opened.errors, [], 'no error of a script or of the security policy');
      assert.deepEqual(opened.outside, [], 'nothing is asked outside the server');
    },
  };
}

async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(pictures, `${name}.png`) });
}

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

async function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

test('the page shows price, load, projects, applications, streams and logs', async () => {
  await using seen = await look();
  const { page } = seen;
  await page.locator('.log').first().waitFor();
  const tiles = page.locator('.tiles');
  await tiles.getByText('1.15 X', { exact: true }).waitFor();
  await tiles.getByText('1.30 X at 10:42 UTC').waitFor();
  assert.match(await tiles.innerText(), /474 of 593/);
  assert.match(await tiles.innerText(), /4 not OK/);
  await page.getByRole('img', { name: /Load of yarn-prod: 412 of 515 cores/ }).waitFor();
  await page.getByRole('img', { name: /Price of pool cpu: 1\.15 X now, 1\.30 X from/ }).waitFor();

  const analytics = page.locator('.projects tbody tr', { hasText: 'web-analytics' });
  assert.match(await analytics.innerText(), /197\.00[\s\S]*31\.02[\s\S]*in 6 h 2\d min/);
  const risk = page.locator('.projects tbody tr', { hasText: 'risk' });
  assert.match(await risk.innerText(), /exhausted/);
  const free = page.locator('.projects tbody tr', { hasText: 'sandbox' });
  assert.match(await free.innerText(), /no grant[\s\S]*no limit/);

  const nightly = page.locator('.applications tbody tr', { hasText: 'nightly-orders' });
  assert.match(await nightly.innerText(), /1 h 32 min[\s\S]*129 cores[\s\S]*42\.50[\s\S]*28\.11/);
  await nightly
    .getByRole('img', {
      name: 'Slot time: useful 70 %, wasted 6 %, idle 15 %, tail 5 %, start-up 4 %',
    })
    .waitFor();

  const verdicts = await page.locator('.streams .badge').allInnerTexts();
  assert.deepEqual(verdicts, ['STOP', 'STALL', 'REWIND', 'WARN', 'OK']);
  await page.getByText('demo data').waitFor();
  await picture(page, 'wide-light');
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
  await page.waitForFunction(
    () => document.querySelectorAll('.applications tbody tr').length === 1,
  );
  await page.getByText('No logs in this time').waitFor();
  await page.goBack();
  await page.locator('.applications', { hasText: 'nightly-orders' }).waitFor();
  assert.equal(await page.getByLabel('Project', { exact: true }).inputValue(), '');
  await page.goForward();
  await page.waitForFunction(
    () => document.querySelectorAll('.applications tbody tr').length === 1,
  );
});

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
  assert.equal(await page.locator('.log mark').first().innerText(), 'block');
  const asked = seen.server.asked.find((path) => path.startsWith('/v1/projects/etl/logs'));
  assert.match(asked ?? '', /text=block&level=WARN.*from=2026-11-21T04%3A3/);
});

test('typing searches, a stack trace opens, and following brings new lines to the top', async () => {
  await using seen = await look();
  const { page, server } = seen;
  await page.locator('.log').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('FileSystemException');
  await page.waitForFunction(
    () =>
      document.querySelector('.log mark') === null &&
      [...document.querySelectorAll('.log-level')].every((level) => level.textContent === 'ERROR'),
  );
  assert.match(page.url(), /text=FileSystemException/);
  const first = page.locator('.log').first();
  await first.getByRole('button', { name: '+6 lines' }).click();
  assert.match(await first.locator('pre').innerText(), /Caused by: java\.nio\.file/);
  assert.equal(await first.locator('mark').innerText(), 'FileSystemException');
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
  assert.match(await group.innerText(), /14/);
  await picture(page, 'groups');
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
    page.waitForFunction((n) => document.querySelectorAll('.log').length === n, count);
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
  assert.equal(await page.locator('.log mark').first().innerText(), '<img');
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
  assert.match(await ended.innerText(), /4 h ago[\s\S]*after 1 h[\s\S]*end inferred/);
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
  await picture(page, 'phone');
  await page.getByRole('link', { name: 'Logs', exact: true }).first().click();
  await picture(page, 'phone-logs');
});

test('the theme follows the system until it is switched, and the choice is kept', async () => {
  await using seen = await look(undefined, { colorScheme: 'dark' });
  const { page } = seen;
  await page.locator('.log').first().waitFor();
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await background(), 'rgb(13, 16, 21)');
  await picture(page, 'wide-dark');
  await page.getByRole('button', { name: 'Switch between light and dark' }).click();
  assert.equal(await background(), 'rgb(246, 247, 249)');
  await page.reload();
  assert.equal(await background(), 'rgb(246, 247, 249)');
});

test('when nothing answers the page keeps its data, says how old it is, and comes back', async () => {
  await using seen = await look();
  const { page, server } = seen;
  await page.locator('.log').first().waitFor();
  const height = await page.evaluate(() => document.body.scrollHeight);
  await server.goAway();
  await page.getByText('Tollgate does not answer').waitFor();
  assert.match(await page.locator('.away').innerText(), /data of 10:30:\d\d UTC/);
  assert.equal(await page.locator('.projects tbody tr').count(), 6);
  assert.equal(await page.evaluate(() => document.body.scrollHeight), height);
  await picture(page, 'away');
  const [etl] = server.platform.projects;
  assert.ok(etl);
  etl.balance = aBalance(NOW, 'etl', { balance: '5555.5' });
  await server.listen();
  await page.getByRole('button', { name: 'Retry now' }).click();
  await page.getByText('5,555.50').waitFor();
  assert.equal(await page.getByText('Tollgate does not answer').count(), 0);
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
  await picture(page, 'empty');
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
  await page.waitForFunction(() => document.querySelectorAll('.projects tbody tr').length === 200);
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
  await page.locator('.log').first().waitFor();
  await page.clock.install();
  const hide = (hidden: boolean) =>
    page.evaluate((is) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value: is });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await hide(true);
  // A round that was under way ends before the count begins.
  await page.waitForTimeout(0);
  await page.clock.runFor(10_000);
  const asked = server.asked.length;
  await page.clock.runFor(60_000);
  assert.equal(server.asked.length, asked);
  await hide(false);
  await page.waitForFunction(() => true);
  await page.locator('.log').first().waitFor();
  while (server.asked.length === asked) await page.evaluate(() => fetch('/icon.svg').then(() => 0));
  assert.ok(server.asked.length > asked);
});

test('the page is used by keyboard alone', async () => {
  await using seen = await look();
  const { page } = seen;
  await page.locator('.log').first().waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'main');
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
