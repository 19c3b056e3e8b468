import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import type { Template } from '../cloudformation/template';
import { type Clients, type Facts, kinds, makeClients } from './kinds';

/**
 * - `exists`: the resource exists and its service's description matches the template
 * - `differs`: the resource exists with a different value that the emulator's CloudFormation should have passed on
 * - `missing`: the resource does not exist, although the emulator supports its type
 * - `skipped`: the emulator does not support the type
 */
export type Verdict = 'exists' | 'differs' | 'missing' | 'skipped';

export interface InventoryRow {
  /** Construct path relative to the stack, such as `Shop/Box/Instance`. */
  readonly path: string;
  readonly type: string;
  readonly verdict: Verdict;
  /** Facts from the template. */
  readonly asked: Facts;
  /** Facts from the service's description. */
  readonly found: Facts;
  /** Names of the facts in the template that the emulator's CloudFormation does not pass on. */
  readonly ignored: readonly string[];
}

export interface InventoryOptions {
  readonly template: Template;
  /** Construct paths relative to the stack, by logical id. */
  readonly paths: ReadonlyMap<string, string>;
  readonly stackName: string;
  readonly skippedTypes: ReadonlySet<string>;
  readonly endpoint: string;
  readonly region: string;
}

/** Looks up every resource of the template in the emulator and compares it with the template. */
export async function takeInventory(options: InventoryOptions): Promise<InventoryRow[]> {
  const { endpoint, region } = options;
  const config = { endpoint, region, credentials: { accessKeyId: 'emulator', secretAccessKey: 'emulator' } };
  const physicalIds = await listPhysicalIds(new CloudFormationClient(config), options.stackName);
  const clients = makeClients(config);
  const rows: InventoryRow[] = [];
  for (const [logicalId, { Type, Properties }] of Object.entries(options.template.Resources)) {
    // Holds only the CDK's version.
    if (Type === 'AWS::CDK::Metadata') continue;
    const path = options.paths.get(logicalId) ?? logicalId;
    const expected = literals(kinds[Type]?.expected(Properties ?? {}) ?? {});
    const physicalId = physicalIds.get(logicalId);
    if (physicalId === undefined) {
      const verdict = options.skippedTypes.has(Type) ? 'skipped' : 'missing';
      rows.push({ path, type: Type, verdict, asked: expected, found: {}, ignored: [] });
      continue;
    }
    const found = await describe(clients, Type, physicalId, expected);
    const notPassedOn = kinds[Type]?.notPassedOn ?? [];
    const ignored = differences(expected, found ?? {}).filter((name) => notPassedOn.includes(name));
    rows.push({
      path,
      type: Type,
      verdict: compareFacts(expected, found, notPassedOn),
      asked: expected,
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
      // moto lists some existing resources without a physical id.
      if (resource.LogicalResourceId) ids.set(resource.LogicalResourceId, resource.PhysicalResourceId ?? '');
    }
  }
  return ids;
}

/** Describes the resource with its service's API. Returns undefined if it does not exist. */
async function describe(
  clients: Clients,
  type: string,
  physicalId: string,
  expected: Facts,
): Promise<Facts | undefined> {
  const kind = kinds[type];
  if (kind === undefined || physicalId === '') return {};
  try {
    return await kind.found(clients, physicalId, expected);
  } catch {
    return undefined;
  }
}

/** Compares the facts that both sides have. */
export function compareFacts(expected: Facts, found: Facts | undefined, notPassedOn: readonly string[] = []): Verdict {
  if (found === undefined) return 'missing';
  return differences(expected, found).every((name) => notPassedOn.includes(name)) ? 'exists' : 'differs';
}

function differences(expected: Facts, found: Facts): string[] {
  return Object.entries(expected)
    .filter(([name, value]) => name in found && String(found[name]) !== String(value))
    .map(([name]) => name);
}

/** Removes unresolved values (Ref, Fn::…) and values that the template leaves to AWS. */
function literals(facts: Facts): Facts {
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined && typeof value !== 'object'),
  );
}
