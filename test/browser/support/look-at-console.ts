import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { FixtureServer } from './fixture-server.ts';
import { type OpenConsole, openConsole } from './open-console.ts';
import { type SamplePlatform, samplePlatform } from './sample-platform.ts';

/** The time on the platform of these tests. */
export const NOW = Date.parse('2026-11-21T10:30:00.000Z');

export const PHONE: BrowserContextOptions = {
  viewport: { width: 360, height: 740 },
  hasTouch: true,
  isMobile: true,
};

interface Seen extends OpenConsole {
  readonly server: FixtureServer;
}

/** A page that looks at a platform; what it must never do is checked when it is closed. */
export async function lookAtConsole(
  browser: Browser,
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

/** How far the page could be scrolled sideways, in pixels. */
export async function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
}

export async function textOf(locator: Locator): Promise<string> {
  return (await locator.textContent()) ?? '';
}

let folder: string | undefined;

/** Keeps a picture in the folder that SCREENSHOTS names, else in a new one of the system's. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  folder ??= process.env['SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'tollgate-console-'));
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
