import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TIME_SCALE } from '../rehearse/flags';
import { synthesizedTemplate } from '../rehearse/template';
import { checkPrograms, missingPrograms, startTopology, type Topology } from '../topology/topology';
import { checkPortFree, DataFolder } from './data-folder';
import type { StartOptions } from './start';

export interface StartTopologyOptions extends Omit<StartOptions, 'phase'> {
  readonly phase: 3 | 4;
}

export interface RunningTopology {
  readonly url: string;
  readonly topology: Topology;
  /** Whether it can move to the next phase: true when the required programs are installed. */
  readonly evolves: boolean;
  /** Folder of the logs. Deleted on stop. */
  readonly logs: string;
  /** Stops every process. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts phase 3 or 4 on this machine from real programs, on the data of phases 1 and 2. Sessions are lost with Redis.
 *
 * @throws UsageError when a program is missing, the port is in use or another run has locked the folder
 */
export async function startOnTopology(options: StartTopologyOptions): Promise<RunningTopology> {
  const { phase, port, onProgress } = options;
  checkPrograms(phase);
  await checkPortFree(port);
  const folder = await DataFolder.lock(options.dir, options.fresh);
  // Holds Unix sockets, so its path must be short.
  const dir = mkdtempSync(join(tmpdir(), 'shop-start-'));
  const cleanUp = () => {
    folder.unlock();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const evolves = phase === 3 && missingPrograms(4).length === 0;
    if (phase === 4) onProgress('running cdk synth for the scaling policies');
    const scaling = phase === 4 ? { template: await synthesizedTemplate(phase), timeScale: TIME_SCALE } : undefined;
    const topology = await startTopology({
      phase,
      port,
      dir,
      evolves,
      persisted: { database: folder.database, sessionSecret: folder.sessionSecret() },
      ...(scaling && { scaling }),
      onProgress,
    });
    return {
      url: `http://localhost:${port}`,
      topology,
      evolves,
      logs: dir,
      stop: async () => {
        await topology.stop();
        cleanUp();
      },
    };
  } catch (error) {
    cleanUp();
    throw error;
  }
}
