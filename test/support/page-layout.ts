import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

const SCRIPT = readFileSync(join(__dirname, 'layout-problems.js'), 'utf8');

/**
 * Lists layout problems of the page as it is now: sideways scrolling; text or controls outside of the window or of the box that
 * is drawn around them; text that is cut off, overlaps or is too small; short words and figures over two lines. The content of a
 * scroll container may be wider than the container.
 */
export function layoutProblems(page: Page): Promise<string[]> {
  return page.evaluate(SCRIPT);
}
