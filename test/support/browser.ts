import { resolve } from 'node:path';

export { launchBrowser } from '../../tools/docs/browser';

/** Folder for pictures of what was tested; not kept in git. */
export const SCREENSHOTS = resolve(__dirname, '../../.screenshots');
