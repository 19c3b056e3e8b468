import { spawnSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

/** Launches the system's Chromium in headless mode. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
}

/** Looks for the same program names as `npm run doctor`. */
function findChromium(): string {
  const [found] = ['chromium', 'google-chrome'].flatMap((name) => {
    const { status, stdout } = spawnSync('which', [name], { encoding: 'utf8' });
    return status === 0 ? [stdout.trim()] : [];
  });
  if (found === undefined) throw new Error('Chromium is missing. Run npm run doctor for the install command.');
  return found;
}
