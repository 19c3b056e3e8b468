import { Command, CommanderError } from 'commander';
import { declareBench } from '../tools/bench/declare';
import { declareDeployLocal } from '../tools/emulator/declare';
import { declareEvolution } from '../tools/evolution/declare';
import { declarePlanner } from '../tools/planner/commands/declare';
import { declareRehearse } from '../tools/rehearsal/rehearse/declare';
import { declareStart } from '../tools/rehearsal/start/declare';
import { QUIET_SDK } from '../tools/support/aws-environment';
import { declareDoctor } from '../tools/support/declare';
import { UsageError } from '../tools/support/usage-error';

Object.assign(process.env, QUIET_SDK);

/** The command line: `npm run <command> -- <arguments>`. Each command loads only its own code. */
const program = new Command('npm run')
  .description(
    'Run, rehearse, compare and plan the phases of one web shop, from a single EC2 instance to an elastic fleet.',
  )
  .helpCommand(false)
  .exitOverride()
  .configureHelp({ commandUsage: usage })
  .configureOutput({
    // One line, also where Commander suggests a similar name.
    outputError: (text, write) => write(text.replace(/^error: /, '').replace(/\n(?=\()/, ' ')),
  });

declareStart(program);
declareDoctor(program);
declareDeployLocal(program);
declareEvolution(program);
declareBench(program);
declarePlanner(program);
declareRehearse(program);

/** npm itself reads the arguments before the two dashes. */
function usage(command: Command): string {
  const names: string[] = [];
  for (let one: Command | null = command; one !== null; one = one.parent) names.unshift(one.name());
  const [npm, name = '<command>', ...subcommands] = names;
  return [npm, name, '--', ...subcommands, command === program ? '[arguments]' : command.usage()].join(' ');
}

const BAD_INPUT = 2;

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    // Commander has printed its line already; --help is no error.
    process.exitCode = error.exitCode === 0 ? 0 : BAD_INPUT;
  } else if (error instanceof UsageError) {
    console.error(error.message);
    process.exitCode = BAD_INPUT;
  } else {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
});
