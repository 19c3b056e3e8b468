import type { Command } from 'commander';
import { oneOf } from '../support/arguments';

/** Declares the command `deploy:local`. */
export function declareDeployLocal(program: Command): void {
  program
    .command('deploy:local')
    .description('Run cdk bootstrap and cdk deploy against an AWS emulator on loopback, and list the resources.')
    .argument(
      '<phase>',
      'stack to deploy: phase-1, phase-2, phase-3 or phase-4',
      oneOf(['phase-1', 'phase-2', 'phase-3', 'phase-4']),
    )
    .option('-c, --context <name=value...>', 'CDK context, passed to cdk unchanged, such as size=growth')
    .option('--json', 'print the table as JSON')
    .action(async (phase: string, options: { context?: string[]; json?: boolean }) => {
      const { deployLocally } = await import('./deploy-command.js');
      process.exitCode = await deployLocally({ phase, context: options.context ?? [], json: options.json ?? false });
    });
}
