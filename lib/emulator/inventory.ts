import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { type Clients, type Facts, kinds, makeClients, type Properties } from './kinds';

/**
 * - `exists`: there, and what its service describes is what the template asked for
 * - `differs`: there, with another value
 * - `missing`: the emulator knows the type, yet the resource is not there
 * - `skipped`: the emulator does not know the type
 */
export type Verdict = 'exists' | 'differs' | 'missing' | 'skipped';

export interface InventoryRow {
  /** Path of the construct below its stack, such as `Shop/Box/Instance`. */
  readonly path: string;
  readonly type: string;
  readonly verdict: Verdict;
  readonly asked: Facts;
  readonly found: Facts;
  /** Physical id; absent where nothing is there. */
  readonly physicalId?: string;
}

export interface Template {
  readonly Resources: Readonly<Record<string, { Type: string; Properties?: Properties; Metadata?: Properties }>>;
}

export interface InventoryOptions {
  readonly template: Template;
  readonly stackName: string;
  readonly skippedTypes: ReadonlySet<string>;
  readonly endpoint: string;
  readonly region: string;
}

/** Looks every resource of the template up in the emulator, by its own service where that is worth telling. */
export async function takeInventory(options: InventoryOptions): Promise<InventoryRow[]> {
  const { endpoint, region } = options;
  const config = { endpoint, region, credentials: { accessKeyId: 'emulator', secretAccessKey: 'emulator' } };
  const physicalIds = await listPhysicalIds(new CloudFormationClient(config), options.stackName);
  const clients = makeClients(config);
  const rows: InventoryRow[] = [];
  for (const [logicalId, { Type, Properties, Metadata }] of Object.entries(options.template.Resources)) {
    // The CDK's own note of its version; it stands for nothing.
    if (Type === 'AWS::CDK::Metadata') continue;
    const path = pathBelowStack(Metadata?.['aws:cdk:path'], logicalId);
    const asked = literals(kinds[Type]?.asked(Properties ?? {}) ?? {});
    const physicalId = physicalIds.get(logicalId);
    if (physicalId === undefined) {
      const verdict = options.skippedTypes.has(Type) ? 'skipped' : 'missing';
      rows.push({ path, type: Type, verdict, asked, found: {} });
      continue;
    }
    const found = await describe(clients, Type, physicalId);
    rows.push({ path, type: Type, verdict: judge(asked, found), asked, found: found ?? {}, physicalId });
  }
  return rows;
}

async function listPhysicalIds(client: CloudFormationClient, stackName: string): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for await (const page of paginateListStackResources({ client }, { StackName: stackName })) {
    for (const resource of page.StackResourceSummaries ?? []) {
      if (resource.LogicalResourceId && resource.PhysicalResourceId) {
        ids.set(resource.LogicalResourceId, resource.PhysicalResourceId);
      }
    }
  }
  return ids;
}

/** What the resource's service says of it; undefined when it says that there is none. */
async function describe(clients: Clients, type: string, physicalId: string): Promise<Facts | undefined> {
  const kind = kinds[type];
  if (kind === undefined) return {};
  try {
    return await kind.found(clients, physicalId);
  } catch {
    return undefined;
  }
}

/** Facts that are compared are those that both sides tell. */
export function judge(asked: Facts, found: Facts | undefined): Verdict {
  if (found === undefined) return 'missing';
  const different = Object.entries(asked).some(
    ([name, value]) => found[name] !== undefined && String(found[name]) !== String(value),
  );
  return different ? 'differs' : 'exists';
}

/** Without what only CloudFormation can resolve (Ref, Fn::…) and what the template leaves to AWS. */
function literals(facts: Facts): Facts {
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined && typeof value !== 'object'),
  );
}

function pathBelowStack(path: unknown, logicalId: string): string {
  if (typeof path !== 'string') return logicalId;
  return path.replace(/^[^/]+\//, '').replace(/\/Resource$/, '');
}
