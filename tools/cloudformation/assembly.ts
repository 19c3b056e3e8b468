import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { QUIET_SDK } from '../support/aws-environment';
import { UsageError } from '../support/usage-error';
import { runCdk } from './cdk-cli';
import { type Metadata, readStackFile } from './nested-stacks';
import { TEMPLATE_FORMATS } from './parse';
import type { StackTemplate } from './template';

/** A stack of a cloud assembly (`cdk.out`). */
export interface AssembledStack extends StackTemplate {
  /** Id in the CDK app, such as `phase-1`, or `Stage/Api` in a stage. */
  readonly id: string;
  readonly stackName: string;
  /** Construct paths relative to the stack, such as `Shop/Box/Instance`, by logical id. */
  readonly paths: ReadonlyMap<string, string>;
  /** Ids of the stacks that must be deployed first. */
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
 * Reads the stacks of a cloud assembly (`cdk.out`), including those in stages.
 *
 * @throws Error with a one-line message if the folder is not a cloud assembly
 */
export function readAssembly(dir: string): AssembledStack[] {
  const file = join(dir, 'manifest.json');
  if (!existsSync(file)) throw new Error('contains no manifest.json, so it is not a cloud assembly (cdk.out)');
  const artifacts = Object.entries(readJson(file).artifacts ?? {}) as [string, Artifact][];
  return artifacts.flatMap(([id, artifact]) => {
    if (artifact.type === 'cdk:cloud-assembly') return readAssembly(join(dir, artifact.properties.directoryName ?? ''));
    return artifact.type === 'aws:cloudformation:stack' ? [readStack(dir, id, artifact)] : [];
  });
}

/** Accepted sources of stacks, for error messages. */
export const STACK_SOURCES = `a template (${TEMPLATE_FORMATS}) or a cloud assembly (cdk.out)`;

export interface SourceNames {
  /**
   * Name of the option that holds the path, such as `--before`, for error messages.
   *
   * @default path
   */
  readonly option?: string;
  /**
   * Accepted values, for error messages.
   *
   * @default STACK_SOURCES
   */
  readonly allowed?: string;
}

/**
 * Reads the stack of a template file, or all stacks of a cloud assembly (`cdk.out`), with their nested stacks.
 *
 * @throws UsageError if the path does not exist or cannot be read
 */
export function readStacks(
  path: string,
  { option = 'path', allowed = STACK_SOURCES }: SourceNames = {},
): AssembledStack[] {
  try {
    if (!existsSync(path)) throw new Error('does not exist');
    if (statSync(path).isDirectory()) return readAssembly(path);
    return [{ id: path, stackName: path, paths: new Map(), dependencies: [], ...readStackFile(path) }];
  } catch (error) {
    throw new UsageError(`${option} must be ${allowed}, got ${path}: ${(error as Error).message.split('\n')[0]}`);
  }
}

export interface SynthesizeOptions {
  /** CDK context, `name=value` each. */
  readonly context?: readonly string[];
  /**
   * Region of the stacks.
   *
   * @default - region of the environment or the AWS profile
   */
  readonly region?: string;
  /**
   * Receives each line that the CDK CLI prints.
   *
   * @default - output is discarded
   */
  readonly log?: (line: string) => void;
}

/**
 * Synthesizes this project with the real `cdk synth`. Template validation is off because nothing is deployed.
 *
 * @throws UsageError if the CDK app rejects the context
 */
export async function synthesize(options: SynthesizeOptions = {}): Promise<AssembledStack[]> {
  const { context = [], region, log = () => {} } = options;
  const out = mkdtempSync(join(tmpdir(), 'shop-synth-'));
  try {
    const env = { ...process.env, ...QUIET_SDK, ...(region ? { AWS_REGION: region, AWS_DEFAULT_REGION: region } : {}) };
    const settings = context.flatMap((pair) => ['-c', pair]);
    // --ignore-errors: the app adds an error to each phase that may not replace the running one. Nothing is deployed here.
    await runCdk(['synth', '--quiet', '--no-validation', '--ignore-errors', '--output', out, ...settings], env, log);
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
