import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { profiles } from '../tools/planner/scaling/profile';
import { chartOf } from '../tools/planner/simulate/chart';
import { simulate } from '../tools/planner/simulate/simulate';
import { shapedTraffic } from '../tools/planner/simulate/traffic';
import { Feed } from '../tools/rehearsal/board/feed';
import { startBoard } from '../tools/rehearsal/board/server';
import { html } from '../tools/rehearsal/report/html';
import { launchBrowser } from './support/browser';
import { boardStates, extremePages, extremeReport, LONG_TEXT, LONG_WORD } from './support/extremes';
import { describeWith } from './support/needs';
import { layoutProblems } from './support/page-layout';
import { GROUP } from './tools/planner/scaling/group';

const ROOT = join(__dirname, '..');
const PUBLIC = join(ROOT, 'app/public');
const PICTURES = join(ROOT, 'docs/pictures');

/** Pixels: phones, a tablet, a laptop. */
const WIDTHS = [320, 360, 390, 768, 1280];

/** Text outside of pictures gets wider, as in another font: https://www.w3.org/TR/WCAG22/#text-spacing. */
const WIDER_FONT = `{
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    '* { letter-spacing: 0.12em !important; word-spacing: 0.16em !important }' +
    'svg, svg * { letter-spacing: normal !important; word-spacing: normal !important }'
  );
  document.adoptedStyleSheets = [sheet];
}`;

describeWith('chromium', 'layout with large figures and long names', () => {
  let browser: Browser;
  let page: Page;
  let served = '';

  beforeAll(async () => {
    browser = await launchBrowser();
    page = await browser.newPage();
    await page.route('http://page.test/**', (route) => {
      const { pathname } = new URL(route.request().url());
      return pathname.startsWith('/assets/')
        ? route.fulfill({ path: join(PUBLIC, pathname.replace('/assets/', '')) })
        : route.fulfill({ contentType: 'text/html; charset=utf-8', body: served });
    });
  });

  afterAll(() => browser?.close());

  const open = (document: string) => {
    served = document;
    return page.goto('http://page.test/');
  };

  /** Problems of the open page by width. */
  async function problems(): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      found[width] = await layoutProblems(page);
    }
    await page.evaluate(WIDER_FONT);
    await page.setViewportSize({ width: 360, height: 800 });
    found.spaced = await layoutProblems(page);
    return found;
  }

  const none = Object.fromEntries([...WIDTHS, 'spaced'].map((width) => [width, []]));

  test.each(Object.entries(boardStates))('the board, %s', async (_, state) => {
    const feed = new Feed();
    feed.publish({ kind: 'state', state: { ...state, at: state.at - 60 } });
    feed.publish({ kind: 'state', state });
    for (const what of ['killed server-2', LONG_TEXT, LONG_WORD]) {
      feed.publish({ kind: 'event', event: { at: state.at, what } });
    }
    const board = await startBoard({
      source: { title: LONG_TEXT, shop: '', watch: feed.watch.bind(feed), offers: () => [], stop: async () => {} },
    });
    try {
      await page.goto(board.url);
      await page.locator('#events li').nth(2).waitFor();
      expect(await problems()).toEqual(none);
    } finally {
      await board.close();
    }
  });

  test("the rehearsal's report", async () => {
    await open(html(extremeReport()));
    expect(await problems()).toEqual(none);
  });

  test.each(Object.entries(extremePages()))('the shop, %s', async (_, document) => {
    await open(document);
    expect(await problems()).toEqual(none);
  });

  describe('pictures', () => {
    const inPage = (svg: string) => `<!doctype html><body>${svg.replace(/<!\[CDATA\[|\]\]>/g, '')}</body>`;

    test.each(readdirSync(PICTURES).filter((file) => file.endsWith('.svg')))('docs/pictures/%s', async (file) => {
      await page.setViewportSize({ width: 1400, height: 900 });
      await open(inPage(readFileSync(join(PICTURES, file), 'utf8')));
      expect(await layoutProblems(page)).toEqual([]);
    });

    test('the chart of a simulation', async () => {
      const group = { ...GROUP, minSize: 100_000, maxSize: 1_000_000 };
      const traffic = shapedTraffic('spike', { rps: 12_345_678, days: 1, seed: 1 });
      const options = { requestsPerServer: 6000, appStart: 60, metricDelay: 60, spotLossPerMonth: 0, seed: 1 };
      const simulation = simulate({ group, traffic, profile: profiles.ec2, ...options });
      await page.setViewportSize({ width: 1400, height: 900 });
      await open(inPage(chartOf(`${LONG_WORD}/${LONG_WORD}.json under spike`, simulation, traffic, group)));
      expect(await layoutProblems(page)).toEqual([]);
    });
  });

  test('the check sees what is wrong', async () => {
    await page.setViewportSize({ width: 320, height: 800 });
    await open(`<!doctype html><body style="margin: 0; font: 16px monospace">
      <p style="width: 400px">wide</p>
      <p style="width: 60px; border: 1px solid">unbreakable</p>
      <p style="width: 40px; overflow: hidden">hidden-end</p>
      <p style="width: 60px; overflow: auto">scrollable-is-fine</p>
      <p style="width: 40px; overflow-wrap: anywhere">broken</p>
      <p style="margin: 0">below</p><p style="margin: -15px 0 0">above</p>
      <p style="font-size: 6px">tiny</p>
    </body>`);
    expect(await layoutProblems(page)).toEqual([
      'the page is 80 px wider than its window',
      '"unbreakable" overflows p',
      '"hidden-end" overflows p',
      'the word "broken" breaks',
      '"tiny" is 7.0 px high',
      '"below" overlaps "above"',
    ]);
  });
});
