import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { rehearsalBoard } from '../rehearsal/board/of-rehearsal';
import { startBoard } from '../rehearsal/board/server';
import { Parts } from '../rehearsal/programs/parts';
import { startRehearsal } from '../rehearsal/rehearse/rehearsal';
import type { Scenario } from '../rehearsal/rehearse/scenario';
import { title } from '../rehearsal/report/format';
import { startTopology } from '../rehearsal/topology/topology';
import { launchBrowser } from './browser';

const SCENARIO: Scenario = {
  phase: 3,
  servers: 5,
  load: { profile: 'steady', rps: 100, seconds: 120, factor: 1 },
  steps: [],
};

/** Seconds of traffic before the server is killed. */
const BEFORE = 25;

/** Rehearses phase 3, kills a server with the board's button, and takes a screenshot while its requests fail. */
export async function screenshotBoard(file: string): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'shop-board-'));
  const parts = new Parts();
  try {
    const topology = await parts.add(startTopology({ ...SCENARIO, dir }));
    const rehearsal = await startRehearsal(SCENARIO, topology);
    await parts.add({ stop: () => rehearsal.stop() });
    const options = { title: `Rehearsal of ${title(SCENARIO)}`, scenario: SCENARIO, evolves: false, report: '' };
    const board = await startBoard({ source: rehearsalBoard(rehearsal, options) });
    await parts.add({ stop: () => board.close() });
    const browser = await launchBrowser();
    await parts.add({ stop: () => browser.close() });

    const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, deviceScaleFactor: 1.5 });
    await page.goto(board.url);
    await sleep(BEFORE * 1000);
    await page.getByRole('button', { name: 'Kill: server-2', exact: true }).click();
    await page.locator('[data-server="server-2"]').getByText('failed/s').waitFor();
    await page.screenshot({ path: file, fullPage: true });
  } finally {
    await parts.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}
