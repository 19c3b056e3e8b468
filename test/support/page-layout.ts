import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

const SCRIPT = readFileSync(join(__dirname, 'layout-problems.js'), 'utf8');

/**
 * Lists layout problems of the current page: horizontal scrolling, text or controls outside of the window or of their visible
 * box, text that is clipped, overlapping or too small, and short words that break. The content of a scroll container may be
 * wider than the container.
 */
export function layoutProblems(page: Page): Promise<string[]> {
  return page.evaluate(SCRIPT);
}
