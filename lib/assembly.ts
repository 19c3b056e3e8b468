import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cdk } from './cdk-cli';
import { QUIET_SDK } from './emulator/environment';
import type { Template } from './template';

/** A stack of a cloud assembly: what `cdk synth` leaves in `cdk.out`. */
export interface AssembledStack {
  /** Id in the CDK app, such as `phase-1`, or `Stage/Api` of a stage. */
  readonly id: string;
  readonly stackName: string;
  readonly template: Template;
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

type Metadata = Record<string, readonly { readonly type: string; readonly data?: unknown }[]>;

/** The stacks in a folder that `cdk synth` wrote, those of stages as well. */
export function readAssembly(dir: string): AssembledStack[] {
  const manifest = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
  const artifacts = Object.entries(manifest.artifacts ?? {}) as [string, Artifact][];
  return artifacts.flatMap(([id, artifact]) => {
    if (artifact.type === 'cdk:cloud-assembly') return readAssembly(join(dir, artifact.properties.directoryName ?? ''));
    return artifact.type === 'aws:cloudformation:stack' ? [readStack(dir, id, artifact)] : [];
  });
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
    await cdk(['synth', '--quiet', '--no-validation', '--ignore-errors', '--output', out, ...settings], env, say);
    return readAssembly(out);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function readStack(dir: string, id: string, artifact: Artifact): AssembledStack {
  const { properties, additionalMetadataFile, dependencies = [], displayName: name = id } = artifact;
  const file = additionalMetadataFile && join(dir, additionalMetadataFile);
  const metadata: Metadata = file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : artifact.metadata;
  return {
    id: name,
    stackName: properties.stackName ?? id,
    template: JSON.parse(readFileSync(join(dir, properties.templateFile), 'utf8')),
    paths: constructPaths(metadata ?? {}, name),
    dependencies,
  };
}

/** `/phase-1/Shop/Box/Instance` has an entry that tells its logical id; what is told is `Shop/Box/Instance`. */
function constructPaths(metadata: Metadata, stack: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const [path, entries] of Object.entries(metadata)) {
    for (const { type, data } of entries) {
      const below = path.slice(`/${stack}/`.length).replace(/\/Resource$/, '');
      if (type === 'aws:cdk:logicalId') paths.set(String(data), below);
    }
  }
  return paths;
}
