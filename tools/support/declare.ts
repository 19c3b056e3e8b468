import type { Command } from 'commander';

/** Declares the command `doctor`. */
export function declareDoctor(program: Command): void {
  program
    .command('doctor')
    .description('Check for required programs, and print the command that installs each missing one.')
    .option('--json', 'print the result as JSON')
    .action(async (options: { json?: boolean }) => {
      const { doctor } = await import('./doctor.js');
      process.exitCode = doctor({ json: options.json ?? false });
    });
}
