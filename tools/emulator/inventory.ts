import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import type { Template } from '../cloudformation/template';
import { type Clients, type Facts, kinds, makeClients } from './kinds';

/**
 * - `exists`: there, and what its service describes is what the template asked for
 * - `differs`: there, with another value of something that the emulator does pass on
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
  /** Names of facts that were asked for and that the emulator's CloudFormation does not pass on. */
  readonly ignored: readonly string[];
}

export interface InventoryOptions {
  readonly template: Template;
  /** Path of the construct below its stack, by logical id. */
  readonly paths: ReadonlyMap<string, string>;
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
  for (const [logicalId, { Type, Properties }] of Object.entries(options.template.Resources)) {
    // The CDK's own note of its version; it stands for nothing.
    if (Type === 'AWS::CDK::Metadata') continue;
    const path = options.paths.get(logicalId) ?? logicalId;
    const asked = literals(kinds[Type]?.asked(Properties ?? {}) ?? {});
    const physicalId = physicalIds.get(logicalId);
    if (physicalId === undefined) {
      const verdict = options.skippedTypes.has(Type) ? 'skipped' : 'missing';
      rows.push({ path, type: Type, verdict, asked, found: {}, ignored: [] });
      continue;
    }
    const found = await describe(clients, Type, physicalId, asked);
    const notPassedOn = kinds[Type]?.notPassedOn ?? [];
    const ignored = differences(asked, found ?? {}).filter((name) => notPassedOn.includes(name));
    rows.push({
      path,
      type: Type,
      verdict: compareFacts(asked, found, notPassedOn),
      asked,
      found: found ?? {},
      ignored,
    });
  }
  return rows;
}

async function listPhysicalIds(client: CloudFormationClient, stackName: string): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for await (const page of paginateListStackResources({ client }, { StackName: stackName })) {
    for (const resource of page.StackResourceSummaries ?? []) {
      // moto lists some types without a physical id; they are there all the same.
      if (resource.LogicalResourceId) ids.set(resource.LogicalResourceId, resource.PhysicalResourceId ?? '');
    }
  }
  return ids;
}

/** What the resource's service says of it; undefined when it says that there is none. */
async function describe(clients: Clients, type: string, physicalId: string, asked: Facts): Promise<Facts | undefined> {
  const kind = kinds[type];
  if (kind === undefined || physicalId === '') return {};
  try {
    return await kind.found(clients, physicalId, asked);
  } catch {
    return undefined;
  }
}

/** Facts that are compared are those that both sides tell. */
export function compareFacts(asked: Facts, found: Facts | undefined, notPassedOn: readonly string[] = []): Verdict {
  if (found === undefined) return 'missing';
  return differences(asked, found).every((name) => notPassedOn.includes(name)) ? 'exists' : 'differs';
}

function differences(asked: Facts, found: Facts): string[] {
  return Object.entries(asked)
    .filter(([name, value]) => name in found && String(found[name]) !== String(value))
    .map(([name]) => name);
}

/** Without what only CloudFormation can resolve (Ref, Fn::…) and what the template leaves to AWS. */
function literals(facts: Facts): Facts {
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined && typeof value !== 'object'),
  );
}
