import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { rehearsalBoard } from '../../../../tools/rehearsal/board/of-rehearsal';
import { type Board, startBoard } from '../../../../tools/rehearsal/board/server';
import { type Rehearsal, startRehearsal } from '../../../../tools/rehearsal/rehearse/rehearsal';
import type { Scenario } from '../../../../tools/rehearsal/rehearse/scenario';
import { startTopology } from '../../../../tools/rehearsal/topology/topology';
import { BROWSER_TIMEOUT, launchBrowser, saveScreenshot } from '../../../support/browser';
import { describeWith } from '../../../support/needs';

const scenario: Scenario = {
  phase: 3,
  servers: 3,
  replicas: 1,
  // Longer than the slowest machine needs; afterAll ends it.
  load: { profile: 'steady', rps: 40, seconds: 900, factor: 1 },
  steps: [],
};

describeWith('chromium', 'the board of a rehearsal in a real browser', () => {
  describeWith('haproxy', 'and a balancer', () => {
    describeWith('redis-server', 'with Redis', () => {
      let dir: string;
      let rehearsal: Rehearsal;
      let board: Board;
      let browser: Browser;
      let page: Page;
      const problems: string[] = [];

      beforeAll(async () => {
        dir = mkdtempSync(join(tmpdir(), 'shop-board-'));
        const topology = await startTopology({ ...scenario, dir });
        rehearsal = await startRehearsal(scenario, topology);
        const title = 'Rehearsal of phase 3, 3 servers, 40 requests/s for 900 s';
        const source = rehearsalBoard(rehearsal, { title, scenario, evolves: false, report: 'rehearsal.html' });
        board = await startBoard({ source });
        browser = await launchBrowser();
        page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
        page.setDefaultTimeout(BROWSER_TIMEOUT);
        page.on('console', (message) => {
          if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
        });
        page.on('pageerror', (error) => problems.push(error.message));
        await page.goto(board.url);
      });

      afterAll(async () => {
        await browser?.close();
        await board?.close();
        await rehearsal?.stop();
        rmSync(dir, { recursive: true, force: true });
      });

      test('a killed server is shown out of service, replaced and removed, and no confirmed write is lost', async () => {
        const killed = page.locator('[data-server="server-2"]');
        await killed.getByText('in service').waitFor();
        await killed.getByText(/p50 [\d.]+, p99 [\d.]+ ms/).waitFor();
        await saveScreenshot(page, 'board-desktop');
        expect(await killed.innerText()).toMatch(/\d+ requests\/s/);

        await page.getByRole('button', { name: 'Kill: server-2', exact: true }).click();
        await page.getByRole('log').getByText('killed server-2').waitFor();
        await killed.getByText(/out of service|terminated/).waitFor();
        await saveScreenshot(page, 'board-killed');
        const refused = page.locator('button[aria-disabled][title="server-2 is already out of service"]');
        // Not `disabled`, so a click shows the reason.
        await refused.click({ force: true });
        await page.getByRole('status').getByText('Kill: server-2 is already out of service').waitFor();
        await page.locator('[data-server="server-4"]').getByText('in service').waitFor();
        await killed.waitFor({ state: 'detached' });
        expect(await page.locator('.lost .value').innerText()).toBe('0');
      });

      test('a button doubles the traffic', async () => {
        await page.getByRole('button', { name: 'Double traffic' }).click();
        await page.getByRole('log').getByText('traffic at 2x the rate of the profile').waitFor();
      });

      test('no horizontal scrolling on a phone in dark mode, and no errors on the console', async () => {
        await page.setViewportSize({ width: 390, height: 844 });
        await page.emulateMedia({ colorScheme: 'dark' });
        await page.waitForTimeout(1_200);
        await saveScreenshot(page, 'board-phone-dark');
        const { wide, wanted } = await page
          .locator('html')
          .evaluate((html) => ({ wide: html.scrollWidth, wanted: html.clientWidth }));
        expect(wide).toBe(wanted);
        expect(problems).toEqual([]);
      });
    });
  });
});
