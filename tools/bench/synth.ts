import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { runCdk } from '../cloudformation/cdk-cli';
import { QUIET_SDK } from '../support/aws-environment';
import { table } from '../support/table';
import { type BenchOptions, measureInterleaved } from './rounds';

const ROOT = resolve(__dirname, '../..');

/** Maximum time of `cdk synth` for all phases, as a multiple of an empty app. */
const GOAL = 2;

/**
 * Runs the benchmark `synth`: the real CDK CLI with this project and with an app of one resource, in interleaved rounds. Template
 * validation is on, the CDK's default. Returns the exit code: 1 if the goal is missed.
 */
export async function benchSynth(options: BenchOptions): Promise<number> {
  // Inside the project, for the same packages and feature flags.
  const dist = join(ROOT, 'dist');
  mkdirSync(dist, { recursive: true });
  const work = mkdtempSync(join(dist, 'bench-'));
  try {
    const empty = join(work, 'empty.ts');
    writeFileSync(empty, EMPTY_APP);
    const apps = {
      empty: ['--app', `node --import tsx ${relative(ROOT, empty)}`],
      phases: [],
    };
    const synthOf = (name: keyof typeof apps) => async () => {
      const begin = performance.now();
      const args = ['synth', '--quiet', '--ignore-errors', '--output', join(work, name), ...apps[name]];
      await runCdk(args, { ...process.env, ...QUIET_SDK }, () => {});
      return { seconds: (performance.now() - begin) / 1000 };
    };
    const { empty: emptyApp, phases } = await measureInterleaved(
      { empty: synthOf('empty'), phases: synthOf('phases') },
      options,
    );
    const result = {
      rounds: options.rounds,
      emptySeconds: emptyApp.seconds,
      phasesSeconds: phases.seconds,
      ratio: phases.seconds / emptyApp.seconds,
      goal: GOAL,
    };
    console.log(options.json ? JSON.stringify(result, null, 2) : render(result));
    return result.ratio <= GOAL ? 0 : 1;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Has one resource, because validation rejects a template without any. */
export const EMPTY_APP = `import { App, CfnResource, Stack } from 'aws-cdk-lib';

const app = new App();
new CfnResource(new Stack(app, 'empty'), 'Topic', { type: 'AWS::SNS::Topic' });
app.synth();
`;

function render(result: { emptySeconds: number; phasesSeconds: number; ratio: number; goal: number }): string {
  const rows = [
    ['app with one resource', `${result.emptySeconds.toFixed(2)} s`],
    ['all phases', `${result.phasesSeconds.toFixed(2)} s`],
    ['ratio', `${result.ratio.toFixed(2)}x (goal: at most ${result.goal}x)`],
  ];
  return table(['cdk synth', 'median'], rows);
}
