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
  /** Whether it can become the next phase: where the programs of that are here. */
  readonly evolves: boolean;
  /** Folder of its logs, which is gone once it has stopped. */
  readonly logs: string;
  /** Ends every process. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts phase 3 or 4 on this machine with real parts, over the data that phases 1 and 2 keep. Sessions in Redis end with it.
 *
 * @throws UsageError when a program is missing, the port is taken or another run holds the folder
 */
export async function startOnTopology(options: StartTopologyOptions): Promise<RunningTopology> {
  const { phase, port, onProgress } = options;
  checkPrograms(phase);
  await checkPortFree(port);
  const folder = await DataFolder.lock(options.dir, options.fresh);
  // Unix sockets lie in it, so its path must be short.
  const dir = mkdtempSync(join(tmpdir(), 'shop-start-'));
  const leave = () => {
    folder.unlock();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const evolves = phase === 3 && missingPrograms(4).length === 0;
    if (phase === 4) onProgress('cdk synth: the scaling policies are those of the template');
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
        leave();
      },
    };
  } catch (error) {
    leave();
    throw error;
  }
}
