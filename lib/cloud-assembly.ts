import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A stack as `cdk synth` leaves it in its output folder. */
export interface SynthesizedStack {
  /** Id in the CDK app, such as `phase-1`. */
  readonly id: string;
  readonly stackName: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template is whatever CloudFormation takes
  readonly template: any;
  /** Path of the construct below its stack, such as `Shop/Box/Instance`, by logical id. */
  readonly paths: ReadonlyMap<string, string>;
}

/**
 * The stacks in the output folder of `cdk synth`, those of stages too, in the order of its manifest.
 *
 * @throws when the folder has no manifest
 */
export function readCloudAssembly(dir: string): SynthesizedStack[] {
  const manifest = readJson(join(dir, 'manifest.json'));
  return Object.entries<Artifact>(manifest.artifacts ?? {}).flatMap(([id, { type, properties, ...artifact }]) => {
    if (type === 'cdk:cloud-assembly') return readCloudAssembly(join(dir, properties.directoryName));
    if (type !== 'aws:cloudformation:stack') return [];
    const file = artifact.additionalMetadataFile && join(dir, artifact.additionalMetadataFile);
    const metadata = file && existsSync(file) ? readJson(file) : artifact.metadata;
    return [
      {
        id: artifact.displayName ?? id,
        stackName: properties.stackName ?? id,
        template: readJson(join(dir, properties.templateFile)),
        paths: constructPaths(metadata ?? {}, artifact.displayName ?? id),
      },
    ];
  });
}

interface Artifact {
  readonly type: string;
  readonly displayName?: string;
  readonly properties: { readonly templateFile: string; readonly stackName?: string; readonly directoryName: string };
  readonly metadata?: Metadata;
  /** Where newer versions of the CDK put the metadata. */
  readonly additionalMetadataFile?: string;
}

type Metadata = Readonly<Record<string, readonly { readonly type: string; readonly data?: unknown }[]>>;

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

function readJson(file: string) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
