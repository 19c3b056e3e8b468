import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { cdk } from '../cdk-cli';
import { QUIET_SDK } from '../emulator/environment';
import { table } from '../table';

const ROOT = resolve(__dirname, '../..');

/** `cdk synth` of all phases may take this many times as long as that of an empty app. */
const GOAL = 2;

export interface SynthBenchOptions {
  /** Times that each app is synthesized, one after the other in turn; the medians are compared. */
  readonly rounds: number;
  readonly json: boolean;
}

/**
 * The bench `synth`: the real CDK CLI over this project and over an app with a single resource, in interleaved rounds, so that
 * a slow moment of the machine meets both. Template validation is on, as by default. Returns the exit code: 1 when the
 * ratio misses its goal.
 */
export async function benchSynth(options: SynthBenchOptions): Promise<number> {
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
    const seconds: Record<keyof typeof apps, number[]> = { empty: [], phases: [] };
    // One round more: the first fills the caches, and builds the app.
    for (let round = 0; round <= options.rounds; round++) {
      for (const name of ['empty', 'phases'] as const) {
        const begin = performance.now();
        const args = ['synth', '--quiet', '--ignore-errors', '--output', join(work, name), ...apps[name]];
        await cdk(args, { ...process.env, ...QUIET_SDK }, () => {});
        const took = (performance.now() - begin) / 1000;
        if (round > 0) seconds[name].push(took);
        if (!options.json) console.error(`  … round ${round} of ${options.rounds}: ${name} ${took.toFixed(2)} s`);
      }
    }
    const result = {
      rounds: options.rounds,
      emptySeconds: median(seconds.empty),
      phasesSeconds: median(seconds.phases),
      ratio: median(seconds.phases) / median(seconds.empty),
      goal: GOAL,
    };
    console.log(options.json ? JSON.stringify(result, null, 2) : render(result));
    return result.ratio <= GOAL ? 0 : 1;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Validation refuses a template without any resource. */
const EMPTY_APP = `import { App, CfnResource, Stack } from 'aws-cdk-lib';

const app = new App();
new CfnResource(new Stack(app, 'empty'), 'Topic', { type: 'AWS::SNS::Topic' });
app.synth();
`;

/** Of an even number of values, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const around = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]] as [number, number];
  return (around[0] + around[1]) / 2;
}

function render(result: { emptySeconds: number; phasesSeconds: number; ratio: number; goal: number }): string {
  const rows = [
    ['an app with one resource', `${result.emptySeconds.toFixed(2)} s`],
    ['all phases', `${result.phasesSeconds.toFixed(2)} s`],
    ['ratio', `${result.ratio.toFixed(2)}x (goal: at most ${result.goal}x)`],
  ];
  return table(['cdk synth', 'median'], rows);
}
