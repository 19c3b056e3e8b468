import { resolve } from 'node:path';

export { launchBrowser } from '../../tools/docs/browser';

/** Folder for test screenshots, ignored by git. */
export const SCREENSHOTS = resolve(__dirname, '../../.screenshots');
