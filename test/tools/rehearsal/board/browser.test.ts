import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { Feed } from '../../../../tools/rehearsal/board/feed';
import { rehearsalBoard } from '../../../../tools/rehearsal/board/of-rehearsal';
import { type Board, startBoard } from '../../../../tools/rehearsal/board/server';
import type { BoardState } from '../../../../tools/rehearsal/board/state';
import { type Rehearsal, startRehearsal } from '../../../../tools/rehearsal/rehearse/rehearsal';
import type { Scenario } from '../../../../tools/rehearsal/rehearse/scenario';
import { startTopology } from '../../../../tools/rehearsal/topology/topology';
import { launchBrowser, SCREENSHOTS } from '../../../support/browser';
import { describeWith } from '../../../support/needs';

/** Phase 4 with every part of the drawing. */
const fleet: BoardState = {
  at: 1,
  phase: 4,
  desired: 4,
  visitors: { rps: 400, p50: 2, p99: 9, failed: 0, acknowledged: 10, missed: 0 },
  edge: '71% hits',
  balancer: true,
  servers: ['a', 'b', 'c', 'a'].map((zone, index) => ({
    name: `server-${index + 1}`,
    zone,
    state: 'in-service',
    rps: 100,
    failed: 0,
    latency: { p50: 2.4, p99: 112.5 },
    cpu: 0.3,
  })),
  workers: [{ name: 'worker-1', zone: 'a', state: 'in-service', cpu: 0 }],
  stores: ['redis', 'primary', 'replica 1', 'replica 2', 'queue'].map((name) => ({ name, up: true, figures: ['1'] })),
  buttons: [
    ...['Double traffic', 'Halve traffic', 'Stop traffic'].map((label) => ({
      of: 'traffic',
      id: label,
      label,
    })),
    ...['Add server', 'Remove server', 'Deploy new version', 'Spot notice'].map((label) => ({
      of: 'fleet',
      id: label,
      label,
    })),
    ...['a', 'b', 'c'].map((zone) => ({ of: `zone ${zone}`, id: `kill-${zone}`, label: 'Kill zone' })),
  ],
};

const scenario: Scenario = {
  phase: 3,
  servers: 3,
  replicas: 1,
  load: { profile: 'steady', rps: 40, seconds: 60, factor: 1 },
  steps: [],
};

describeWith('chromium', 'the board in a real browser', () => {
  test('entry, zones and stores each form one row at desktop widths', async () => {
    const feed = new Feed();
    feed.publish({ kind: 'state', state: fleet });
    const watch = feed.watch.bind(feed);
    const board = await startBoard({
      source: { title: 'Phase 4', shop: '', watch, offers: () => [], stop: async () => {} },
    });
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      for (const width of [1280, 1440]) {
        await page.setViewportSize({ width, height: 860 });
        await page.goto(board.url);
        const tops = (selector: string) =>
          page.locator(selector).evaluateAll((found) => found.map((one) => one.getBoundingClientRect().top));
        await page.getByText('worker-1').waitFor();
        for (const [row, parts] of [
          ['#entry > .card', 3],
          ['.zone', 3],
          ['#stores > .card:nth-child(-n+4)', 4],
        ] as const) {
          const found = await tops(row);
          expect(found).toHaveLength(parts);
          expect(new Set(found).size).toBe(1);
        }
        // No content is wider than its card.
        const cut = await page
          .locator('.card')
          .evaluateAll((cards) => cards.filter((one) => one.scrollWidth > one.clientWidth).length);
        expect(cut).toBe(0);
      }
    } finally {
      await browser.close();
      await board.close();
    }
  });

  describeWith('haproxy', 'behind a load balancer', () => {
    describeWith('redis-server', 'with Redis', () => {
      let dir: string;
      let rehearsal: Rehearsal;
      let board: Board;
      let browser: Browser;
      let page: Page;
      const problems: string[] = [];

      beforeAll(async () => {
        mkdirSync(SCREENSHOTS, { recursive: true });
        dir = mkdtempSync(join(tmpdir(), 'shop-board-'));
        const topology = await startTopology({ ...scenario, dir });
        rehearsal = await startRehearsal(scenario, topology);
        const title = 'Rehearsal of phase 3, 3 servers, 40 requests/s for 60 s';
        const source = rehearsalBoard(rehearsal, { title, scenario, evolves: false, report: 'rehearsal.html' });
        board = await startBoard({ source });
        browser = await launchBrowser();
        page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
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

      const shoot = (name: string) => page.screenshot({ path: join(SCREENSHOTS, `board-${name}.png`), fullPage: true });

      test('a killed server is shown out of service, replaced and removed, and no confirmed write is lost', async () => {
        const killed = page.locator('[data-server="server-2"]');
        await killed.getByText('in service').waitFor();
        await killed.getByText(/p50 [\d.]+, p99 [\d.]+ ms/).waitFor();
        await shoot('desktop');
        expect(await killed.innerText()).toMatch(/\d+ requests\/s/);

        await page.getByRole('button', { name: 'Kill: server-2', exact: true }).click();
        await page.getByRole('log').getByText('killed server-2').waitFor();
        await killed.getByText(/out of service|terminated/).waitFor();
        await shoot('killed');
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
        await page.getByRole('log').getByText('traffic: 2 times what the profile says').waitFor();
      });

      test('no horizontal scrolling on a phone in dark mode, and no errors on the console', async () => {
        await page.setViewportSize({ width: 390, height: 844 });
        await page.emulateMedia({ colorScheme: 'dark' });
        await page.waitForTimeout(1_200);
        await shoot('phone-dark');
        const { wide, wanted } = await page
          .locator('html')
          .evaluate((html) => ({ wide: html.scrollWidth, wanted: html.clientWidth }));
        expect(wide).toBe(wanted);
        expect(problems).toEqual([]);
      });
    });
  });
});
