import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../../../../tools/rehearsal/rehearse/findings';
import { EXIT_CODES } from '../../../../tools/rehearsal/rehearse/verdict';
import { runCommand } from '../../../support/command';

/** The command with phase 1, which needs no system programs. `rehearse-command.drill.ts` covers more. */
const dir = mkdtempSync(join(tmpdir(), 'rehearse-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('phase 1 under traffic: a JSON report, a page with charts, and the exit code of the verdict', async () => {
  const page = join(dir, 'report.html');
  const { output, exitCode } = runCommand(
    ['rehearse', '1', '--seconds', '5', '--rps', '20', '--json', '--html', page],
    {
      ...process.env,
      TMPDIR: dir,
    },
  );
  const code = await exitCode;
  const report = JSON.parse(output.stdout) as Report;
  expect(report.command).toBe('npm run rehearse -- 1 --seconds 5 --rps 20');
  expect(report.traffic.counts.ok).toBeGreaterThan(20);
  const kept = report.goals.filter(({ name }) => name.endsWith('lost'));
  expect(kept.filter(({ met, unjudged }) => !met && unjudged === undefined)).toEqual([]);
  expect(code).toBe(EXIT_CODES[report.verdict]);
  expect(report.carried).toBeGreaterThan(0);
  expect(output.stderr).toContain(`this machine carries ${report.carried} requests/s in this topology`);
  expect(readFileSync(page, 'utf8')).toContain('<svg');
});
