import { spawnSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

/** The system's Chromium, without a window. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
}

/** As `npm run doctor` looks for it. */
function findChromium(): string {
  const [found] = ['chromium', 'google-chrome'].flatMap((name) => {
    const { status, stdout } = spawnSync('which', [name], { encoding: 'utf8' });
    return status === 0 ? [stdout.trim()] : [];
  });
  if (found === undefined) throw new Error('chromium is not here; npm run doctor says what installs it');
  return found;
}
