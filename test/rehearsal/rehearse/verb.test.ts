import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Report } from '../../../lib/rehearsal/rehearse/findings';
import { EXIT_CODES } from '../../../lib/rehearsal/rehearse/verdict';
import { eventually, isAlive } from '../../support/shop';

/** The verb as people call it, on the phase that needs no program of the system. */
const ROOT = resolve(__dirname, '../../..');
const dir = mkdtempSync(join(tmpdir(), 'rehearse-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function rehearse(...args: string[]) {
  const command = ['--import', 'tsx', 'bin/cli.ts', 'rehearse', ...args];
  const child = spawn(process.execPath, command, {
    cwd: ROOT,
    // One that is killed leaves its folder behind.
    env: { ...process.env, TMPDIR: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 180_000,
  });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
    });
  }
  const ended = new Promise<number | null>((done) => child.once('close', done));
  return { child, said, ended };
}

/** Every process that this one started, and those started by these. */
function descendants(pid: number): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const parents = lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const below = (parent: number): number[] =>
    parents.filter(([, ppid]) => ppid === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

test.concurrent('phase 1 under traffic: a report as JSON, a page with charts, and the exit code of its figures', async () => {
  const page = join(dir, 'report.html');
  const { said, ended } = rehearse('1', '--seconds', '5', '--rps', '20', '--json', '--html', page);
  const code = await ended;
  const report = JSON.parse(said.stdout) as Report;
  expect(report.command).toBe('npm run rehearse -- 1 --seconds 5 --rps 20');
  expect(report.traffic.counts.ok).toBeGreaterThan(20);
  const kept = report.goals.filter(({ name }) => name.endsWith('lost'));
  expect(kept.filter(({ met, unjudged }) => !met && unjudged === undefined)).toEqual([]);
  expect(code).toBe(EXIT_CODES[report.verdict]);
  expect(report.carried).toBeGreaterThan(0);
  expect(said.stderr).toContain(`this machine carries ${report.carried} requests/s in this topology`);
  expect(readFileSync(page, 'utf8')).toContain('<svg');
}, 180_000);

test.concurrent('from phase 1 to 2 under traffic nothing acknowledged is lost', async () => {
  const { said, ended } = rehearse(
    '1..2',
    '--seconds',
    '12',
    '--rps',
    '20',
    '--json',
    '--html',
    join(dir, 'moved.html'),
  );
  const code = await ended;
  const { goals, servers, events, served, verdict } = JSON.parse(said.stdout) as Report;
  expect(events.map(({ what }) => what)).toContainEqual(expect.stringMatching(/^phase 2 serves from its own database/));
  // No balancer counts in phases 1 and 2.
  expect(servers).toMatchObject([
    { name: 'server-1', state: 'gone', counted: false },
    { name: 'server-2', state: 'in-service', counted: false },
  ]);
  const missed = goals.filter(({ met, unjudged }) => !met && unjudged === undefined).map(({ name }) => name);
  expect(missed.filter((name) => name.endsWith('lost'))).toEqual([]);
  expect(served).toEqual([{ phase: 2, answered: expect.any(Number) }]);
  expect(served?.[0]?.answered).toBeGreaterThan(0);
  expect(missed).not.toContain('phase 2 was not exercised');
  expect(code).toBe(EXIT_CODES[verdict]);
}, 180_000);

test.concurrent.each(['SIGINT', 'SIGKILL'] as const)(
  'after %s nothing of it runs any more',
  async (signal) => {
    const { child, said, ended } = rehearse('1', '--seconds', '60', '--rps', '20', '--html', join(dir, 'none.html'));
    await eventually(
      () => said.stdout.includes('starting traffic') && descendants(child.pid as number).length > 3,
      120_000,
    );
    const started = descendants(child.pid as number);
    child.kill(signal);
    expect(await ended).toBe(signal === 'SIGINT' ? 130 : null);
    await eventually(() => !started.some(isAlive));
  },
  180_000,
);
