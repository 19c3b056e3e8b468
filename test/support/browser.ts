import { resolve } from 'node:path';
import type { Page } from 'playwright-core';

export { launchBrowser } from '../../tools/docs/browser';

/** Milliseconds that the browser waits for what should be there; for what never comes, and no machine is that slow. */
export const BROWSER_TIMEOUT = 300_000;

/** Folder for pictures of what was tested; not kept in git. */
const SCREENSHOTS = resolve(__dirname, '../../.screenshots');

/** Takes a picture for a person to look at, where SCREENSHOTS is set: `SCREENSHOTS=1 npm test -- browser`. */
export async function saveScreenshot(page: Page, name: string): Promise<void> {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: resolve(SCREENSHOTS, `${name}.png`), fullPage: true });
}
