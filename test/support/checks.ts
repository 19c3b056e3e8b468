import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { makeApp, makePhase, type Variant } from './stack';
import { phaseTemplate } from './templates';

/** Returns the unacknowledged findings of CDK validation for a phase, and those of cdk-nag if `nag` is true. */
export function findingsOf({ id, props }: Variant, nag: boolean): { findings: unknown[]; failure: unknown } {
  const app = makeApp();
  if (nag) Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  makePhase(id, props, app);
  const printed = jest.spyOn(console, 'error').mockClear().mockImplementation();
  const { CDK_VALIDATION } = process.env;
  delete process.env.CDK_VALIDATION;
  let failure: unknown;
  try {
    app.synth();
  } catch (error) {
    failure = error;
  } finally {
    process.env.CDK_VALIDATION = CDK_VALIDATION;
  }
  return { findings: printed.mock.calls.flat().filter((line) => !line.startsWith('WARNING')), failure };
}

/** Runs cfn-lint on the templates. Returns its output and exit code. */
export function lint(variants: readonly Variant[]): { stdout: string; status: number | null } {
  const dir = mkdtempSync(join(tmpdir(), 'lint-'));
  const files = variants.map(({ id, name, props }) => {
    const file = join(dir, `${id} ${name}.json`);
    writeFileSync(file, JSON.stringify(phaseTemplate(id, props)));
    return file;
  });
  const { stdout, status } = spawnSync('cfn-lint', files, { encoding: 'utf8' });
  rmSync(dir, { recursive: true });
  return { stdout, status };
}
