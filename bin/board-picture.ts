import { resolve } from 'node:path';
import { screenshotBoard } from '../tools/docs/board-picture';

/** `npm run docs:board`: takes the screenshot of the board. Needs chromium and the programs of phase 3. */
void screenshotBoard(resolve(__dirname, '../docs/pictures/board.png'));
