import { Feed } from '../../../../tools/rehearsal/board/feed';
import { startBoard } from '../../../../tools/rehearsal/board/server';
import type { BoardState } from '../../../../tools/rehearsal/board/state';
import { BROWSER_TIMEOUT, launchBrowser } from '../../../support/browser';
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
      page.setDefaultTimeout(BROWSER_TIMEOUT);
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
});
