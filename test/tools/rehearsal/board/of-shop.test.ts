import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShopBoard } from '../../../../tools/rehearsal/board/of-shop';
import type { BoardState } from '../../../../tools/rehearsal/board/state';
import { startLocally } from '../../../../tools/rehearsal/start/start';
import { freePort } from '../../../../tools/support/processes';
import { eventually } from '../../../support/shop';

test('the board of npm start starts traffic, and kills the app, which restarts on the same port', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'shop-board-'));
  const running = await startLocally({ phase: 1, port: await freePort(), dir, fresh: false, onProgress: () => {} });
  const board = new ShopBoard(running, 1, 'title');
  try {
    const states: BoardState[] = [];
    const unwatch = board.watch((message) => message.kind === 'state' && states.push(message.state));
    const press = (id: string) =>
      board
        .offers()
        .find((one) => one.id === id)
        ?.run();
    await eventually(() => states.length > 0);
    expect(states[0]).toMatchObject({ servers: [{ name: 'this-machine', state: 'in-service' }] });
    expect(states[0]?.visitors).toBeUndefined();

    await press('send-visitors');
    await eventually(() => (states.at(-1)?.visitors?.rps ?? 0) > 0);

    const { pid } = running.shop;
    const killing = press('kill-server');
    await eventually(() => states.at(-1)?.servers[0]?.state === 'out-of-service');
    expect(board.offers().at(-1)).toMatchObject({ id: 'kill-server', unavailable: 'restarting' });
    await killing;
    expect(running.shop.pid).not.toBe(pid);
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
    expect(await Promise.race([running.ended, Promise.resolve('runs')])).toBe('runs');

    await press('end-visitors');
    await eventually(() => board.offers().some(({ id }) => id === 'send-visitors'));
    unwatch();
    process.kill(running.shop.pid, 'SIGKILL');
    expect(await running.ended).toBeNull();
  } finally {
    await board.stop();
    await running.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});
