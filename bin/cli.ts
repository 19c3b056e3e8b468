import { resolve } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { declareBench } from '../tools/bench/declare';
import { declarePlanner } from '../tools/planner/commands/declare';
import { declareRehearse } from '../tools/rehearsal/rehearse/declare';
import type { RehearsedPhase } from '../tools/rehearsal/topology/topology-plan';
import { oneOf, wholeNumber } from '../tools/support/arguments';
import { QUIET_SDK } from '../tools/support/aws-environment';
import { UsageError } from '../tools/support/usage-error';

Object.assign(process.env, QUIET_SDK);

/** The command line: `npm run <verb> -- <arguments>`. Each verb loads only what it needs. */
const program = new Command('npm run')
  .description('One web shop from a single server to a multi-region system, phase by phase.')
  .helpCommand(false)
  .exitOverride()
  .configureHelp({ commandUsage: usage })
  .configureOutput({
    // One line, also where Commander adds its guess of what was meant.
    outputError: (text, write) => write(text.replace(/^error: /, '').replace(/\n(?=\()/, ' ')),
  });

program
  .command('start')
  .description('Start the shop on this machine in the shape of a phase, and keep its data between runs.')
  .argument('[phase]', 'phase whose shape is started: 1, 2, 3 or 4', oneOf(['1', '2', '3', '4']), '1')
  .option('--port <port>', 'TCP port on loopback', wholeNumber(1, 65535), 8080)
  .option('--board-port <port>', 'TCP port of its board on loopback (default: a free one)', wholeNumber(1, 65535))
  .option('--fresh', 'throw away the data of earlier runs first')
  .addOption(new Option('--dir <folder>', 'folder that keeps data, secrets and logs').default('.shop'))
  .action(async (phase: string, options: StartArguments) => {
    const { start } = await import('../tools/rehearsal/start/start-command.js');
    await start({
      phase: Number(phase) as RehearsedPhase,
      port: options.port,
      boardPort: options.boardPort,
      fresh: options.fresh ?? false,
      dir: resolve(options.dir),
    });
  });

program
  .command('doctor')
  .description('Say which programs the project can use are here, and the command that installs each that is not.')
  .option('--json', 'print the findings as JSON')
  .action(async (options: { json?: boolean }) => {
    const { doctor } = await import('../tools/support/doctor.js');
    process.exitCode = doctor({ json: options.json ?? false });
  });

program
  .command('deploy:local')
  .description(
    'Run the real cdk bootstrap and cdk deploy against an AWS emulator on loopback, and show what then exists.',
  )
  .argument(
    '<phase>',
    'stack to deploy: phase-1, phase-2, phase-3 or phase-4',
    oneOf(['phase-1', 'phase-2', 'phase-3', 'phase-4']),
  )
  .option('-c, --context <name=value...>', 'CDK context, handed to cdk as it is, such as size=growth')
  .option('--json', 'print the table as JSON')
  .action(async (phase: string, options: { context?: string[]; json?: boolean }) => {
    const { deployLocally } = await import('../tools/emulator/deploy-command.js');
    process.exitCode = await deployLocally({ phase, context: options.context ?? [], json: options.json ?? false });
  });

program
  .command('evolution')
  .description(
    'What CloudFormation would do to each resource between two phases; exit code 1 when state would be lost.',
  )
  .argument('[phases...]', 'the phase before and the phase after; or, with --against or --deployed, the one after')
  .option('--before <path>', 'template, or output folder of cdk synth, of any app')
  .option('--after <path>', 'the same after the change')
  .option('--stack <id>', 'stack to compare in an output folder with several')
  .option('--allow <file>', 'with --before: what may leave and why, as JSON')
  .option('--against <path>', 'template, or output folder of cdk synth, that is deployed elsewhere')
  .option('--deployed [stack]', 'the stack that runs, by the AWS credentials of the environment')
  .option('-c, --context <name=value...>', 'CDK context, handed to cdk as it is, such as domainName=shop.example.com')
  .addOption(new Option('--json', 'print everything as JSON').conflicts('markdown'))
  .option('--markdown', 'print tables as Markdown, for a comment on a pull request')
  .action(async (phases: string[], options: EvolutionArguments) => {
    const { evolution } = await import('../tools/evolution/evolution-command.js');
    const { json, markdown, deployed, context, ...rest } = options;
    process.exitCode = await evolution({
      ...rest,
      phases,
      deployed: deployed === true ? 'shop' : deployed,
      context: context ?? [],
      format: json ? 'json' : markdown ? 'markdown' : 'text',
    });
  });

interface StartArguments {
  readonly port: number;
  readonly boardPort?: number;
  readonly fresh?: boolean;
  readonly dir: string;
}

interface EvolutionArguments {
  readonly before?: string;
  readonly after?: string;
  readonly stack?: string;
  readonly allow?: string;
  readonly against?: string;
  readonly deployed?: string | true;
  readonly context?: string[];
  readonly json?: boolean;
  readonly markdown?: boolean;
}

declareBench(program);
declarePlanner(program);
declareRehearse(program);

/** npm itself takes what stands before the two dashes. */
function usage(command: Command): string {
  const names: string[] = [];
  for (let one: Command | null = command; one !== null; one = one.parent) names.unshift(one.name());
  const [npm, verb = '<verb>', ...what] = names;
  return [npm, verb, '--', ...what, command === program ? '[arguments]' : command.usage()].join(' ');
}

const BAD_INPUT = 2;

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    // Commander has printed its line already; asking for help is no error.
    process.exitCode = error.exitCode === 0 ? 0 : BAD_INPUT;
  } else if (error instanceof UsageError) {
    console.error(error.message);
    process.exitCode = BAD_INPUT;
  } else {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
});
