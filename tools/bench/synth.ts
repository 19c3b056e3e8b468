import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { cdk } from '../cloudformation/cdk-cli';
import { QUIET_SDK } from '../support/aws-environment';
import { table } from '../support/table';
import { type BenchOptions, measureInTurn } from './rounds';

const ROOT = resolve(__dirname, '../..');

/** `cdk synth` of all phases may take this many times as long as that of an empty app. */
const GOAL = 2;

/**
 * The bench `synth`: the real CDK CLI over this project and over an app with a single resource, in interleaved rounds, so that
 * a slow moment of the machine meets both. Template validation is on, as by default. Returns the exit code: 1 when the
 * ratio misses its goal.
 */
export async function benchSynth(options: BenchOptions): Promise<number> {
  // Below the project, so that it finds the same packages and the same feature flags.
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
      await cdk(args, { ...process.env, ...QUIET_SDK }, () => {});
      return { seconds: (performance.now() - begin) / 1000 };
    };
    const { empty: emptyApp, phases } = await measureInTurn(
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

/** Validation refuses a template without any resource. */
export const EMPTY_APP = `import { App, CfnResource, Stack } from 'aws-cdk-lib';

const app = new App();
new CfnResource(new Stack(app, 'empty'), 'Topic', { type: 'AWS::SNS::Topic' });
app.synth();
`;

function render(result: { emptySeconds: number; phasesSeconds: number; ratio: number; goal: number }): string {
  const rows = [
    ['an app with one resource', `${result.emptySeconds.toFixed(2)} s`],
    ['all phases', `${result.phasesSeconds.toFixed(2)} s`],
    ['ratio', `${result.ratio.toFixed(2)}x (goal: at most ${result.goal}x)`],
  ];
  return table(['cdk synth', 'median'], rows);
}
