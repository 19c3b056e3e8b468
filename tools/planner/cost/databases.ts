import { referencedId, referencedIds } from '../../cloudformation/resolve';
import type { TemplateResource } from '../../cloudformation/template';
import { HOURS_PER_MONTH, type PriceTable } from '../prices/table';
import {
  asNumber,
  asText,
  byUsage,
  type Charge,
  fixed,
  isTrue,
  type Pricer,
  type PricingContext,
  type Properties,
} from './charges';

/** gp3 IOPS that RDS for PostgreSQL includes in the storage price, below and from 400 GiB. */
const BASELINE_IOPS = { below: 3000, from: 12_000, gib: 400 } as const;

export const databaseInstance: Pricer = (properties, scope) => {
  // A replica inherits unset properties from its source.
  const [sourceId] = referencedIds(properties.SourceDBInstanceIdentifier);
  const source = sourceId === undefined ? undefined : scope.template.resources.get(sourceId)?.Properties;
  const engine = asText(properties.Engine ?? source?.Engine, 'unknown');
  const type = properties.DBInstanceClass;
  if (type === 'db.serverless') return { free: 'Billed with its Aurora cluster, by capacity' };
  if (typeof type !== 'string') return { unpriced: 'instance class not in the template' };
  const zones = isTrue(properties.MultiAZ) ? 'multi' : 'single';
  // Cluster members share the cluster's storage.
  if (properties.DBClusterIdentifier !== undefined) {
    return { charges: [fixed(type, `rds.${engine}.${type}.${zones}`, HOURS_PER_MONTH)] };
  }
  const gib = asNumber(properties.AllocatedStorage) ?? asNumber(source?.AllocatedStorage);
  const storage = asText(properties.StorageType ?? source?.StorageType, 'gp2');
  const iops = asNumber(properties.Iops) ?? 0;
  const where = zones === 'multi' ? 'Multi-AZ' : 'Single-AZ';
  const charges: Charge[] = [fixed(`${type} ${where}`, `rds.${engine}.${type}.${zones}`, HOURS_PER_MONTH)];
  if (gib === undefined) {
    charges.push({ what: 'storage, size not in the template', price: undefined, units: 0, kind: 'fixed' });
  } else {
    charges.push(fixed(`storage ${storage}, ${gib} GiB`, `rds.${storage}.storage.${zones}`, gib));
    const extra = iops - (gib < BASELINE_IOPS.gib ? BASELINE_IOPS.below : BASELINE_IOPS.from);
    if (storage === 'gp3' && extra > 0) charges.push(fixed('IOPS above the baseline', `rds.gp3.iops.${zones}`, extra));
  }
  if (/^db\.t\d/.test(type)) charges.push(byUsage('CPU credits above the baseline', 'rds.credits', undefined));
  return { charges };
};

export const databaseCluster: Pricer = (properties) => {
  const minimum = asNumber(properties.ServerlessV2ScalingConfiguration?.MinCapacity);
  return {
    charges: [
      ...(minimum === undefined
        ? []
        : [fixed(`${minimum} ACUs (minimum capacity)`, 'aurora.capacity', minimum * HOURS_PER_MONTH)]),
      byUsage('storage', 'aurora.storage', undefined),
      byUsage('storage I/O', 'aurora.io', undefined),
    ],
  };
};

/** Minimum vCPUs that RDS Proxy bills per database. */
const MIN_PROXY_VCPUS = 2;

/** Billed by the vCPUs of its target databases. */
export const databaseProxy: Pricer = (_properties, scope, id) => {
  const targets = [...scope.template.resources.values()]
    .filter(({ Type, Properties }) => {
      return Type === 'AWS::RDS::DBProxyTargetGroup' && referencedId(Properties?.DBProxyName) === id;
    })
    .flatMap(({ Properties }) => referencedIds(Properties?.DBInstanceIdentifiers))
    .map((target) => scope.template.resources.get(target)?.Properties?.DBInstanceClass);
  if (targets.length === 0) return { unpriced: 'target database not in the template' };
  let vcpus = 0;
  for (const type of targets) {
    const found = typeof type === 'string' ? vcpusOf(type, scope.prices) : undefined;
    if (found === undefined) return { unpriced: `vCPUs of ${asText(type, 'its database')} unknown` };
    vcpus += Math.max(MIN_PROXY_VCPUS, found);
  }
  return { charges: [fixed(`proxy for ${vcpus} vCPUs`, 'rds.proxy', vcpus * HOURS_PER_MONTH)] };
};

/** vCPUs of an RDS class or ElastiCache node type: from the EC2 type of the same name, or from the size suffix. */
export function vcpusOf(type: string, prices: PriceTable): number | undefined {
  const machine = prices.machine(type.replace(/^(db|cache)\./, ''));
  if (machine) return machine.vcpus;
  const [, times, size] = /\.(\d*)(large|xlarge)$/.exec(type) ?? [];
  if (size === undefined) return undefined;
  return size === 'large' ? 2 : 4 * Number(times || 1);
}

export const replicationGroup: Pricer = (properties) => {
  const nodes =
    asNumber(properties.NumCacheClusters) ??
    (asNumber(properties.NumNodeGroups) ?? 1) * (1 + (asNumber(properties.ReplicasPerNodeGroup) ?? 0));
  return cacheNodes(properties, asText(properties.Engine, 'redis'), nodes);
};

export const cacheCluster: Pricer = (properties) =>
  // The replication group bills its members.
  properties.ReplicationGroupId !== undefined
    ? { free: 'Billed with its replication group' }
    : cacheNodes(properties, asText(properties.Engine, 'redis'), asNumber(properties.NumCacheNodes) ?? 1);

function cacheNodes(properties: Properties, engine: string, nodes: number) {
  const type = properties.CacheNodeType;
  if (typeof type !== 'string') return { unpriced: 'node type not in the template' };
  const kept = asNumber(properties.SnapshotRetentionLimit) ?? 0;
  return {
    charges: [
      fixed(`${nodes} × ${type}, ${engine}`, `elasticache.${engine}.${type}`, nodes * HOURS_PER_MONTH),
      ...(kept > 0 ? [byUsage(`snapshots, ${kept} days`, 'elasticache.backup', undefined)] : []),
    ],
  };
}

export const dynamoTable: Pricer = (properties) =>
  properties.BillingMode === 'PAY_PER_REQUEST'
    ? {
        charges: [
          byUsage('reads', 'dynamodb.reads', undefined),
          byUsage('writes', 'dynamodb.writes', undefined),
          byUsage('storage', 'dynamodb.storage', undefined),
        ],
      }
    : { unpriced: 'no price for provisioned capacity' };

/** Share of the data that changes between daily backups. Assumption. */
const DAILY_CHANGE = 0.02;

/** Stored recovery points of an AWS Backup selection, for each protected resource. */
export const backupSelection: Pricer = (properties, scope) => {
  const protectedIds = [...new Set(referencedIds(properties.BackupSelection?.Resources))];
  const targets = protectedIds.map((id) => scope.template.resources.get(id)).filter((found) => found !== undefined);
  if (targets.length === 0) return { unpriced: 'protected resources not in the template' };
  const days = retentionDays(properties, scope);
  return { charges: targets.flatMap((target) => backupOf(target, days, scope)) };
};

function backupOf({ Type, Properties = {} }: TemplateResource, days: number, { usage }: PricingContext): Charge[] {
  const kept = usage && usage.dataGib * (1 + DAILY_CHANGE * days);
  if (Type === 'AWS::EC2::Volume') return [byUsage(`snapshots, ${days} days`, 'ebs.snapshot', kept)];
  // Backups up to the allocated storage are free of charge.
  const free = asNumber(Properties.AllocatedStorage) ?? 0;
  return [byUsage(`backups above the free size, ${days} days`, 'rds.backup', kept && Math.max(0, kept - free))];
}

function retentionDays(properties: Properties, scope: PricingContext): number {
  const plan = scope.template.target(properties.BackupPlanId)?.resource.Properties?.BackupPlan;
  return asNumber(plan?.BackupPlanRule?.[0]?.Lifecycle?.DeleteAfterDays) ?? 30;
}
