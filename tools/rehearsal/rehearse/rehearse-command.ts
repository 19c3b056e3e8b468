import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Board } from '../board/server';
import { title } from '../report/format';
import { html } from '../report/html';
import { startLiveView } from '../report/live';
import { summary } from '../report/summary';
import { missingPrograms, startTopology, type Topology } from '../topology/topology';
import type { RehearsedPhase } from '../topology/topology-plan';
import type { Report } from './findings';
import { type RehearseFlags, scenarioOf } from './flags';
import { type Rehearsal, startRehearsal } from './rehearsal';
import type { Scenario } from './scenario';
import { synthesizedTemplate } from './template';
import { EXIT_CODES, judge } from './verdict';

export interface RehearseOptions extends RehearseFlags {
  readonly phase: RehearsedPhase;
  /** Last phase of an evolution; equals `phase` without one. */
  readonly until: RehearsedPhase;
  /** Path of the HTML report. */
  readonly html: string;
  readonly json: boolean;
  /**
   * TCP port of the board on loopback.
   *
   * @default - a free port
   */
  readonly boardPort?: number;
  /** Command line, for the report. */
  readonly command: string;
}

const INTERRUPTED = 130;

/**
 * Runs the command `rehearse`: rehearses a phase on this machine and writes the report. Returns the exit code of the verdict.
 *
 * @throws UsageError for options that the phase does not support
 */
export async function rehearse({
  phase,
  until,
  html: file,
  json,
  command,
  boardPort,
  ...flags
}: RehearseOptions): Promise<number> {
  let scenario = scenarioOf(phase, flags, until);
  const startedAt = new Date().toISOString();
  const out = json ? process.stderr : process.stdout;
  const dir = mkdtempSync(join(tmpdir(), 'shop-rehearsal-'));
  let topology: Topology | undefined;
  let rehearsal: Rehearsal | undefined;
  let board: Board | undefined;
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
    void (rehearsal ?? topology)?.stop();
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    const onProgress = (line: string) => out.write(`  … ${line}\n`);
    const { timeScale } = scenario;
    if (timeScale !== undefined) onProgress('cdk synth: reading the scaling policies of the template');
    // The policies must ignore the load of the calibration.
    let trafficStarts = () => {};
    const begin = new Promise<void>((resolve) => {
      trafficStarts = resolve;
    });
    const scaling =
      timeScale === undefined ? undefined : { template: await synthesizedTemplate(phase), timeScale, begin };
    if (interrupted) return INTERRUPTED;
    const evolves = scenario.until !== undefined || (flags.board === true && canEvolve(scenario));
    topology = await startTopology({ ...scenario, dir, scaling, onProgress, evolves });
    if (interrupted) return INTERRUPTED;
    rehearsal = await startRehearsal(scenario, topology, { calibrate: true, onProgress });
    if (interrupted) {
      await rehearsal.stop();
      return INTERRUPTED;
    }
    trafficStarts();
    scenario = rehearsal.scenario;
    let heading = `Rehearsal of ${title(scenario)}`;
    if (flags.board) {
      const [{ startBoard }, { rehearsalBoard }] = await Promise.all([
        import('../board/server.js'),
        import('../board/of-rehearsal.js'),
      ]);
      const source = rehearsalBoard(rehearsal, { title: heading, scenario, evolves, report: file });
      board = await startBoard({ source, port: boardPort });
      heading += `\nBoard: ${board.url}`;
    }
    const follower = startLiveView(rehearsal, heading, scenario.load.seconds, out);
    const findings = await rehearsal.finished.finally(() => follower.close());
    const report: Report = { ...findings, command, machine: machine(), startedAt, ...judge(findings) };
    writeFileSync(file, html(report));
    console.log(json ? JSON.stringify(report, null, 2) : `\n${summary(report)}\n\nReport with charts: ${file}`);
    return EXIT_CODES[report.verdict];
  } catch (error) {
    if (interrupted) return INTERRUPTED;
    throw error;
  } finally {
    await board?.close();
    await topology?.stop();
    for (const signal of SIGNALS) process.off(signal, interrupt);
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Whether the board offers the next phase: requires its programs; the forwarding endpoint would break source hashing. */
function canEvolve({ phase, balance }: Scenario): boolean {
  return phase < 4 && balance !== 'source' && missingPrograms(4).length === 0;
}

function machine(): string {
  return `${availableParallelism()} cores, Node ${process.versions.node}, ${process.platform}`;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
