import { DescribeReplicationGroupsCommand } from '@aws-sdk/client-elasticache';
import { GetKeyRotationStatusCommand } from '@aws-sdk/client-kms';
import {
  DescribeDBInstancesCommand,
  DescribeDBProxiesCommand,
  DescribeDBSubnetGroupsCommand,
} from '@aws-sdk/client-rds';
import { DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { gib, type Kinds, only } from './kind';

export const state: Kinds = {
  'AWS::RDS::DBInstance': {
    expected: (p) => ({
      class: p.DBInstanceClass,
      // A read replica inherits engine and version from its primary.
      engine: p.Engine && `${p.Engine} ${p.EngineVersion}`,
      storage: gib(p.AllocatedStorage),
      encrypted: p.StorageEncrypted,
      protected: p.DeletionProtection,
    }),
    found: async ({ rds }, id) => {
      const { DBInstances } = await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: id }));
      const database = only(DBInstances);
      return {
        class: database.DBInstanceClass,
        engine: `${database.Engine} ${database.EngineVersion}`,
        storage: gib(database.AllocatedStorage),
        encrypted: database.StorageEncrypted,
        protected: database.DeletionProtection,
      };
    },
    notPassedOn: ['protected'],
  },
  'AWS::RDS::DBSubnetGroup': {
    expected: (p) => ({ subnets: p.SubnetIds?.length }),
    found: async ({ rds }, name) => {
      const { DBSubnetGroups } = await rds.send(new DescribeDBSubnetGroupsCommand({ DBSubnetGroupName: name }));
      return { subnets: only(DBSubnetGroups).Subnets?.length };
    },
  },
  'AWS::KMS::Key': {
    expected: (p) => ({ rotated: p.EnableKeyRotation }),
    found: async ({ kms }, id) => ({
      rotated: (await kms.send(new GetKeyRotationStatusCommand({ KeyId: id }))).KeyRotationEnabled,
    }),
  },
  'AWS::SecretsManager::Secret': {
    expected: () => ({}),
    found: async ({ secrets }, arn) => {
      await secrets.send(new DescribeSecretCommand({ SecretId: arn }));
      return {};
    },
  },
  'AWS::RDS::DBProxy': {
    expected: (p) => ({ tls: p.RequireTLS, idle: seconds(p.IdleClientTimeout), subnets: p.VpcSubnetIds?.length }),
    found: async ({ rds }, name) => {
      const { DBProxies } = await rds.send(new DescribeDBProxiesCommand({ DBProxyName: name }));
      const proxy = only(DBProxies);
      return {
        tls: proxy.RequireTLS,
        idle: seconds(proxy.IdleClientTimeout),
        subnets: proxy.VpcSubnetIds?.length,
      };
    },
  },
  'AWS::ElastiCache::ReplicationGroup': {
    expected: (p) => ({
      engine: p.Engine,
      node: p.CacheNodeType,
      nodes: p.NumCacheClusters,
      port: p.Port,
      'multi-AZ': enabled(p.MultiAZEnabled),
      failover: enabled(p.AutomaticFailoverEnabled),
      'encrypted at rest': p.AtRestEncryptionEnabled,
      'encrypted in transit': p.TransitEncryptionEnabled,
      snapshots: p.SnapshotRetentionLimit,
    }),
    found: async ({ cache }, id) => {
      const { ReplicationGroups } = await cache.send(new DescribeReplicationGroupsCommand({ ReplicationGroupId: id }));
      const group = only(ReplicationGroups);
      return {
        engine: group.Engine,
        node: group.CacheNodeType,
        nodes: group.MemberClusters?.length,
        port: group.NodeGroups?.[0]?.PrimaryEndpoint?.Port,
        'multi-AZ': group.MultiAZ,
        failover: group.AutomaticFailover,
        'encrypted at rest': group.AtRestEncryptionEnabled,
        'encrypted in transit': group.TransitEncryptionEnabled,
        snapshots: group.SnapshotRetentionLimit,
      };
    },
  },
  'AWS::SQS::Queue': {
    expected: (p) => ({
      kept: seconds(p.MessageRetentionPeriod),
      hidden: seconds(p.VisibilityTimeout),
      polled: seconds(p.ReceiveMessageWaitTimeSeconds),
      tries: p.RedrivePolicy?.maxReceiveCount,
    }),
    found: async ({ sqs }, url) => {
      const describe = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] });
      const { Attributes = {} } = await sqs.send(describe);
      return {
        kept: seconds(Attributes.MessageRetentionPeriod),
        hidden: seconds(Attributes.VisibilityTimeout),
        polled: seconds(Attributes.ReceiveMessageWaitTimeSeconds),
        tries: Attributes.RedrivePolicy && JSON.parse(Attributes.RedrivePolicy).maxReceiveCount,
      };
    },
  },
};

function enabled(flag: boolean | undefined): string | undefined {
  return flag === undefined ? undefined : flag ? 'enabled' : 'disabled';
}

function seconds(time: number | string | undefined): string | undefined {
  return time === undefined ? undefined : `${time} s`;
}
