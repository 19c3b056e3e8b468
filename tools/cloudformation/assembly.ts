import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { QUIET_SDK } from '../support/aws-environment';
import { UsageError } from '../support/usage-error';
import { runCdk } from './cdk-cli';
import { type Metadata, readStackFile } from './nested-stacks';
import { TEMPLATE_FORMATS } from './parse';
import type { StackTemplate } from './template';

/** A stack of a cloud assembly: what `cdk synth` leaves in `cdk.out`. */
export interface AssembledStack extends StackTemplate {
  /** Id in the CDK app, such as `phase-1`, or `Stage/Api` of a stage. */
  readonly id: string;
  readonly stackName: string;
  /** Path of the construct below its stack, such as `Shop/Box/Instance`, by logical id. */
  readonly paths: ReadonlyMap<string, string>;
  /** Ids of the stacks that must be deployed before it. */
  readonly dependencies: readonly string[];
}

interface Artifact {
  readonly type: string;
  readonly displayName?: string;
  readonly properties: { readonly templateFile: string; readonly stackName?: string; readonly directoryName?: string };
  readonly dependencies?: readonly string[];
  readonly additionalMetadataFile?: string;
  readonly metadata?: Metadata;
}

/**
 * The stacks in a folder that `cdk synth` wrote, those of stages as well.
 *
 * @throws in one line when the folder is none
 */
export function readAssembly(dir: string): AssembledStack[] {
  const file = join(dir, 'manifest.json');
  if (!existsSync(file)) throw new Error('there is no manifest.json in it, which cdk synth would have written');
  const artifacts = Object.entries(readJson(file).artifacts ?? {}) as [string, Artifact][];
  return artifacts.flatMap(([id, artifact]) => {
    if (artifact.type === 'cdk:cloud-assembly') return readAssembly(join(dir, artifact.properties.directoryName ?? ''));
    return artifact.type === 'aws:cloudformation:stack' ? [readStack(dir, id, artifact)] : [];
  });
}

/** What a user may point to with a template, for errors. */
export const STACK_SOURCES = `a template as ${TEMPLATE_FORMATS}, or a folder that cdk synth wrote`;

export interface SourceNames {
  /** What stands before the path in an error, such as `--before`; empty for an argument without a name. */
  readonly option?: string;
  /** What is allowed in its place. */
  readonly allowed?: string;
}

/**
 * The one stack of a template file, or the stacks of a folder that `cdk synth` wrote, each with the stacks nested in it.
 *
 * @throws UsageError when there is no such thing, or it cannot be read
 */
export function readStacks(path: string, { option, allowed = STACK_SOURCES }: SourceNames = {}): AssembledStack[] {
  try {
    if (!existsSync(path)) throw new Error('is not there');
    if (statSync(path).isDirectory()) return readAssembly(path);
    return [{ id: path, stackName: path, paths: new Map(), dependencies: [], ...readStackFile(path) }];
  } catch (error) {
    const given = option === undefined ? path : `${option} ${path}`;
    throw new UsageError(`${given}: ${(error as Error).message.split('\n')[0]}; allowed is ${allowed}`);
  }
}

export interface SynthesizeOptions {
  /** CDK context, `name=value` each. */
  readonly context?: readonly string[];
  /** Region that the stacks are meant for. */
  readonly region?: string;
  /** Told each line that the CDK CLI prints. */
  readonly say?: (line: string) => void;
}

/**
 * The stacks of this project, by the real `cdk synth`. Template validation is off: it is for what will be deployed.
 *
 * @throws UsageError when the CDK app refuses the context
 */
export async function synthesize(options: SynthesizeOptions = {}): Promise<AssembledStack[]> {
  const { context = [], region, say = () => {} } = options;
  const out = mkdtempSync(join(tmpdir(), 'shop-synth-'));
  try {
    const env = { ...process.env, ...QUIET_SDK, ...(region ? { AWS_REGION: region, AWS_DEFAULT_REGION: region } : {}) };
    const settings = context.flatMap((pair) => ['-c', pair]);
    // A phase that the running shop may not become has an error on its stack; here nothing is deployed.
    await runCdk(['synth', '--quiet', '--no-validation', '--ignore-errors', '--output', out, ...settings], env, say);
    return readAssembly(out);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function readStack(dir: string, id: string, artifact: Artifact): AssembledStack {
  const { properties, additionalMetadataFile, dependencies = [], displayName: name = id } = artifact;
  const file = additionalMetadataFile && join(dir, additionalMetadataFile);
  const metadata: Metadata = (file && existsSync(file) ? readJson(file) : artifact.metadata) ?? {};
  try {
    const stack = readStackFile(join(dir, properties.templateFile), { metadata, root: `/${name}` });
    return { id: name, stackName: properties.stackName ?? id, paths: new Map(), dependencies, ...stack };
  } catch (error) {
    throw new Error(`${properties.templateFile}: ${(error as Error).message}`);
  }
}

function readJson(file: string) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${basename(file)}: ${(error as Error).message}`);
  }
}
