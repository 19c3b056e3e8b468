import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCpuQuotas } from '../../../../tools/rehearsal/programs/cpu-quota';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'shop-quota-'));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Writes files that stand in for the kernel's. */
function kernel(mounts: string, own: string): { mounts: string; own: string } {
  const files = { mounts: join(dir, `mounts-${Math.random()}`), own: join(dir, `own-${Math.random()}`) };
  writeFileSync(files.mounts, mounts);
  writeFileSync(files.own, own);
  return files;
}

test('there are no quotas without control groups, or without permission to create them', () => {
  expect(findCpuQuotas({ mounts: join(dir, 'missing'), own: join(dir, 'missing') })).toBeUndefined();
  expect(findCpuQuotas(kernel('proc /proc proc rw 0 0\n', '0::/\n'))).toBeUndefined();
  // A plain folder, in which the kernel creates no control group files.
  const v1 = `cgroup ${dir} cgroup rw,nosuid,cpu,cpuacct 0 0\n`;
  const v2 = `cgroup2 ${dir} cgroup2 rw,nosuid 0 0\n`;
  expect(findCpuQuotas(kernel(v1, '4:cpu,cpuacct:/\n'))).toBeUndefined();
  expect(findCpuQuotas(kernel(v2, '0::/user.slice/session.scope\n'))).toBeUndefined();
});

const real = findCpuQuotas();

(real ? test : test.skip)('a process gets at most its share of a processor', async () => {
  const quotas = real as NonNullable<typeof real>;
  const quota = quotas.create('spinner', 0.2);
  const spin = 'const t = Date.now(); while (Date.now() - t < 1500); console.log(process.cpuUsage().user)';
  const child = spawn(process.execPath, ['-e', spin], { stdio: ['ignore', 'pipe', 'inherit'] });
  quota.confine([child.pid as number]);
  let used = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    used += text;
  });
  await new Promise((done) => child.once('close', done));
  // Its share is 0.3 s. Without a quota it would use 1.5 s of an idle processor.
  expect(Number(used) / 1e6).toBeLessThan(0.8);
  quota.confine([child.pid as number]);
  await quota.stop();
  expect(existsSync(quota.dir)).toBe(false);
});
