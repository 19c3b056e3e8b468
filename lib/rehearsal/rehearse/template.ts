import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cdk } from '../../cdk-cli';
import { emulatorEnv } from '../../emulator/environment';
import { loadTemplate, type Template } from '../../planner/scaling/template';

/** The template of a phase as `cdk synth` makes it; asks no account. */
export async function synthesizedTemplate(phase: number): Promise<Template> {
  const out = mkdtempSync(join(tmpdir(), 'shop-synth-'));
  try {
    // Validation is the business of other commands, and most of the time that a synth takes.
    const args = ['synth', `phase-${phase}`, '--quiet', '--no-validation', '--output', out];
    await cdk(args, emulatorEnv('http://localhost:1'), () => {});
    return loadTemplate(out, `phase-${phase}`);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
