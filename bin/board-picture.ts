import { resolve } from 'node:path';
import { screenshotBoard } from '../tools/docs/board-picture';

/** `npm run docs:board`: makes the picture of the board anew; needs what phase 3 needs, and chromium. */
void screenshotBoard(resolve(__dirname, '../docs/pictures/board.png'));
