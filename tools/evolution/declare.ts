import { type Command, Option } from 'commander';

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

/** Declares the command `evolution`. */
export function declareEvolution(program: Command): void {
  program
    .command('evolution')
    .description(
      'Show how CloudFormation would change each resource between two phases. Exits with 1 if state is lost.',
    )
    .argument('[phases...]', 'phases before and after the step; with --against or --deployed, the phase after')
    .option('--before <path>', 'template or cloud assembly (cdk.out) of any app')
    .option('--after <path>', 'the same after the change')
    .option('--stack <id>', 'stack to compare in an output folder with several')
    .option('--allow <file>', 'with --before: JSON manifest of resources that may be removed or replaced, with reasons')
    .option('--against <path>', 'deployed template or cloud assembly (cdk.out) of this project')
    .option('--deployed [stack]', 'the running stack, read with the AWS credentials of the environment')
    .option(
      '-c, --context <name=value...>',
      'CDK context, passed to cdk unchanged, such as domainName=shop.example.com',
    )
    .addOption(new Option('--json', 'print everything as JSON').conflicts('markdown'))
    .option('--markdown', 'print tables as Markdown, for a comment on a pull request')
    .action(async (phases: string[], options: EvolutionArguments) => {
      const { evolution } = await import('./evolution-command.js');
      const { json, markdown, deployed, context, ...rest } = options;
      process.exitCode = await evolution({
        ...rest,
        phases,
        deployed: deployed === true ? 'shop' : deployed,
        context: context ?? [],
        format: json ? 'json' : markdown ? 'markdown' : 'text',
      });
    });
}
