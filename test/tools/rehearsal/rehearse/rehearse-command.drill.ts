import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../../../../tools/rehearsal/rehearse/findings';
import { EXIT_CODES } from '../../../../tools/rehearsal/rehearse/verdict';
import { type Command, runCommand } from '../../../support/command';
import { eventually, isAlive } from '../../../support/shop';

const dir = mkdtempSync(join(tmpdir(), 'rehearse-test-'));
const started: Command[] = [];

afterAll(() => {
  for (const { child } of started) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

function rehearse(...args: string[]): Command {
  // A killed command leaves its temporary folder behind.
  const command = runCommand(['rehearse', ...args], { ...process.env, TMPDIR: dir });
  started.push(command);
  return command;
}

/** Returns all descendant processes. */
function descendants(pid: number): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const parents = lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const below = (parent: number): number[] =>
    parents.filter(([, ppid]) => ppid === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

test.concurrent('an evolution from phase 1 to 2 under traffic loses no confirmed data', async () => {
  const { output, exitCode } = rehearse(
    '1..2',
    '--seconds',
    '12',
    '--rps',
    '20',
    '--json',
    '--html',
    join(dir, 'moved.html'),
  );
  const code = await exitCode;
  const { goals, servers, events, served, verdict } = JSON.parse(output.stdout) as Report;
  expect(events.map(({ what }) => what)).toContainEqual(expect.stringMatching(/^phase 2 serves from its own database/));
  // Phases 1 and 2 have no balancer that counts requests.
  expect(servers).toMatchObject([
    { name: 'server-1', state: 'terminated', counted: false },
    { name: 'server-2', state: 'in-service', counted: false },
  ]);
  const missed = goals.filter(({ met, unjudged }) => !met && unjudged === undefined).map(({ name }) => name);
  expect(missed.filter((name) => name.endsWith('lost'))).toEqual([]);
  expect(served).toEqual([{ phase: 2, answered: expect.any(Number) }]);
  expect(served?.[0]?.answered).toBeGreaterThan(0);
  expect(goals).toContainEqual(expect.objectContaining({ name: 'phase 2 was exercised', met: true }));
  expect(code).toBe(EXIT_CODES[verdict]);
});

test.concurrent.each(['SIGINT', 'SIGKILL'] as const)('after %s, no process is left', async (signal) => {
  const { child, output, exitCode } = rehearse('1', '--seconds', '60', '--rps', '20', '--html', join(dir, 'none.html'));
  await eventually(() => output.stdout.includes('starting traffic') && descendants(child.pid as number).length > 3);
  const started = descendants(child.pid as number);
  child.kill(signal);
  expect(await exitCode).toBe(signal === 'SIGINT' ? 130 : null);
  await eventually(() => !started.some(isAlive));
});
