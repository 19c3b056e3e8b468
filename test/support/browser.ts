import { resolve } from 'node:path';
import type { Page } from 'playwright-core';

export { launchBrowser } from '../../tools/docs/browser';

/** Timeout of browser actions in milliseconds, far longer than a slow machine needs. */
export const BROWSER_TIMEOUT = 300_000;

/** Folder of the screenshots, ignored by Git. */
const SCREENSHOTS = resolve(__dirname, '../../.screenshots');

/** Saves a screenshot if SCREENSHOTS is set: `SCREENSHOTS=1 npm test -- browser`. */
export async function saveScreenshot(page: Page, name: string): Promise<void> {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: resolve(SCREENSHOTS, `${name}.png`), fullPage: true });
}
