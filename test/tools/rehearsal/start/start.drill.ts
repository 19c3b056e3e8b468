import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../../tools/support/processes';
import { cloneWorkingTree } from '../../../support/clone';
import { commandLinesContaining } from '../../../support/command';
import { describeWith } from '../../../support/needs';
import { eventually, isAlive, Visitor } from '../../../support/shop';

describe('npm start in a fresh clone', () => {
  let dir: string;
  let clone: string;
  /** Email of an account from the first run. */
  let customer: string;
  const children: ChildProcess[] = [];

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'shop-start-'));
    clone = join(dir, 'clone');
    cloneWorkingTree(clone);
  });

  afterAll(async () => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) signal(child, 'SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });

  test('an order survives kill -9, a change of phase and Ctrl-C, and no process is left', async () => {
    const port = await freePort();
    const first = await npmStart('--port', String(port));
    expect(first.pids).toHaveLength(2);
    expect(first.url).toBe(`http://localhost:${port}`);
    const visitor = new Visitor(first.url);
    customer = await visitor.signUp();
    await visitor.add(1, 2);
    const placed = await visitor.order('kept');
    expect(placed.status).toBe(201);

    signal(first.child, 'SIGKILL');
    await eventually(() => first.pids.every((pid) => !isAlive(pid)));

    const second = await npmStart('--port', String(port));
    // The session survived too.
    expect((await visitor.get(`/api/orders/${placed.json.id}`)).json).toMatchObject({ id: placed.json.id });

    const taken = await run('--port', String(port), '--dir', join(dir, 'other'));
    expect(taken).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^--port must be a free port, got \d+\. Stop the program that uses it, or pass another port from 1024 to 65535\.\n$/,
      ),
    });
    const held = await run('--port', String(await freePort()));
    expect(held).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^--dir must be a folder that no other run uses, got .*\. Stop process \d+, or pass another --dir\.\n$/,
      ),
    });

    signal(second.child, 'SIGINT');
    await eventually(() => second.pids.every((pid) => !isAlive(pid)));
    await eventually(() => second.child.exitCode !== null || second.child.signalCode !== null);

    const third = await npmStart('2', '--port', String(port));
    const returning = new Visitor(third.url);
    await returning.logIn(customer);
    expect((await returning.get('/api/orders')).json.items ?? (await returning.get('/api/orders')).json).toHaveLength(
      1,
    );
    expect((await returning.get('/whoami')).json).toMatchObject({ phase: 2 });
    signal(third.child, 'SIGTERM');
    await eventually(() => third.pids.every((pid) => !isAlive(pid)));
  });

  describeWith('redis-server', 'with Redis', () => {
    describeWith('haproxy', 'and a balancer', () => {
      // topology.test.ts covers kill -9.
      test('phase 3 serves the same data from five servers, and Ctrl-C leaves no process', async () => {
        const { child, url, text } = await npmStart('3', '--port', String(await freePort()));
        const servers = new Set<string>();
        const visitor = new Visitor(url);
        for (let count = 0; count < 5; count++) servers.add((await visitor.get('/whoami')).json.server);
        expect([...servers].sort()).toEqual(['server-1', 'server-2', 'server-3', 'server-4', 'server-5']);
        await visitor.logIn(customer);
        expect((await visitor.get('/api/orders')).text).toContain('"totalCents"');

        const logs = /logs in (\S+)/.exec(text)?.[1] as string;
        // Five servers, three of PostgreSQL, two of Redis, the balancer.
        expect(commandLinesContaining(clone, logs).length).toBeGreaterThanOrEqual(11);
        signal(child, 'SIGINT');
        await eventually(() => commandLinesContaining(clone, logs).length === 0 && !existsSync(logs));
      });
    });
  });

  async function npmStart(...args: string[]) {
    const child = spawn('npm', ['start', '--', ...args], {
      cwd: clone,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
    }
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(text);
      return /Press Ctrl-C to stop/.test(text);
    });
    const url = /Shop +(\S+)/.exec(text)?.[1] as string;
    const pids = (/Processes +shop (\d+), PostgreSQL (\d+)/.exec(text) ?? []).slice(1).map(Number);
    return { child, url, pids, text };
  }

  function run(...args: string[]): Promise<{ code: number | null; stderr: string }> {
    return new Promise((done) => {
      const command = ['--import', 'tsx', 'bin/cli.ts', 'start', ...args];
      // It refuses at once; one that starts nevertheless must not outlive the test.
      const child = spawn(process.execPath, command, { cwd: clone, timeout: 300_000 });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        stderr += chunk;
      });
      child.once('close', (code) => done({ code, stderr }));
    });
  }
});

/** Signals npm, its shell and the program, as a terminal does. */
function signal(child: ChildProcess, name: NodeJS.Signals): void {
  process.kill(-(child.pid as number), name);
}
