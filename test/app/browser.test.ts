import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type RunningShop, startLocally } from '../../tools/rehearsal/start/start';
import { freePort } from '../../tools/support/processes';
import { BROWSER_TIMEOUT, launchBrowser, saveScreenshot } from '../support/browser';
import { describeWith } from '../support/needs';

const views = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
} as const;

describeWith('chromium', 'the shop in a real browser', () => {
  let dir: string;
  let running: RunningShop;
  let browser: Browser;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'shop-browser-'));
    running = await startLocally({ phase: 1, port: await freePort(), dir, fresh: false, onProgress: () => {} });
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await running?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  // The pages work without JavaScript, which is the harder case.
  describe.each([
    ['desktop', true],
    ['desktop', false],
    ['phone', false],
  ] as const)('on a %s, JavaScript %s', (view, javaScriptEnabled) => {
    let context: BrowserContext;
    let page: Page;
    const problems: string[] = [];

    beforeAll(async () => {
      context = await browser.newContext({ ...views[view], javaScriptEnabled, baseURL: running.url });
      page = await context.newPage();
      page.setDefaultTimeout(BROWSER_TIMEOUT);
      page.on('console', (message) => {
        const { url } = message.location();
        if (message.type() === 'error' || message.type() === 'warning') problems.push(`${url}: ${message.text()}`);
      });
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('requestfailed', (request) => {
        // Navigation cancels pending requests.
        const reason = request.failure()?.errorText;
        if (reason !== 'net::ERR_ABORTED') problems.push(`${request.url()}: ${reason}`);
      });
    });

    afterAll(() => context?.close());

    const picture = (name: string) => saveScreenshot(page, `${view}-${javaScriptEnabled ? 'js' : 'plain'}-${name}`);

    test('a visitor shops, signs up, checks out, and sees the order fulfilled', async () => {
      await page.goto('/');
      await page.locator('main img').first().waitFor();
      await picture('1-home');
      expect(await page.locator('footer').innerText()).toMatch(/this-machine/);

      await page.getByRole('searchbox').fill('kettle');
      await page.getByRole('button', { name: 'Search' }).click();
      await page.locator('main a[href^="/products/"]').first().click();
      await picture('2-product');
      const name = await page.getByRole('heading', { level: 1 }).innerText();
      expect(name.toLowerCase()).toContain('kettle');
      await page.getByLabel('Quantity').fill('2');
      await page.getByRole('button', { name: 'Add to cart' }).click();
      expect(await page.locator('main').innerText()).toContain(name);

      await page.getByRole('link', { name: 'Create an account' }).click();
      await picture('3-login');
      const signup = page.locator('#signup');
      await signup.getByLabel('Email').fill(`${view}-${javaScriptEnabled}@example.com`);
      await signup.getByLabel('Password').fill('correct horse battery');
      await signup.getByRole('button', { name: 'Create an account' }).click();

      // The cart survives the login.
      expect(await page.locator('main').innerText()).toContain(name);
      await picture('4-cart');
      await page.getByRole('button', { name: 'Place order' }).click();
      expect(await page.locator('main').innerText()).toContain('Thank you.');
      await picture('5-order');

      // A background job creates the receipt, so reload until it exists.
      for (let tries = 0; tries < 100 && (await page.locator('.badge').innerText()) !== 'fulfilled'; tries++) {
        await page.waitForTimeout(100);
        await page.reload();
      }
      expect(await page.locator('.badge').innerText()).toBe('fulfilled');
      await page.getByRole('link', { name: 'Orders', exact: true }).click();
      expect(await page.locator('main').innerText()).toContain(name);
      await picture('6-orders');

      await page.getByRole('button', { name: 'Log out' }).click();
      await page.goto('/orders');
      expect(new URL(page.url()).pathname).toBe('/login');
    });

    test('all resources load, and no page scrolls horizontally', async () => {
      for (const path of ['/', '/products/1', '/cart', '/login', '/nowhere']) {
        await page.goto(path);
        const { wide, wanted } = await page
          .locator('html')
          .evaluate((html) => ({ wide: html.scrollWidth, wanted: html.clientWidth }));
        expect({ path, wide }).toEqual({ path, wide: wanted });
      }
      await picture('7-not-found');
      // The browser itself logs the expected 404.
      expect(problems.filter((problem) => !/status of 404/.test(problem))).toEqual([]);
    });
  });
});
