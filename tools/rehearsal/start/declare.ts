import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { oneOf, wholeNumber } from '../../support/arguments';
import type { RehearsedPhase } from '../topology/topology-plan';

interface StartArguments {
  readonly port: number;
  readonly boardPort?: number;
  readonly fresh?: boolean;
  readonly dir: string;
}

/** Declares the command `start`. */
export function declareStart(program: Command): void {
  program
    .command('start')
    .description('Run the shop on this machine with the topology of a phase, and keep its data between runs.')
    .argument('[phase]', 'phase to run: 1, 2, 3 or 4', oneOf(['1', '2', '3', '4']), '1')
    .option('--port <port>', 'TCP port on loopback', wholeNumber(1, 65535), 8080)
    .option('--board-port <port>', 'TCP port of the board on loopback (default: a free port)', wholeNumber(1, 65535))
    .option('--fresh', 'delete the data of earlier runs first')
    .addOption(new Option('--dir <folder>', 'folder for data, secrets and logs').default('.shop'))
    .action(async (phase: string, options: StartArguments) => {
      const { start } = await import('./start-command.js');
      await start({
        phase: Number(phase) as RehearsedPhase,
        port: options.port,
        boardPort: options.boardPort,
        fresh: options.fresh ?? false,
        dir: resolve(options.dir),
      });
    });
}
