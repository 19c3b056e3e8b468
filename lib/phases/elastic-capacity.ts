import { Duration } from 'aws-cdk-lib';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import type { FleetProps } from '../tiers/fleet';
import type { ScalingProps } from '../tiers/scaling';
import type { ElasticProps } from './shop-props';
import { ELASTIC_INSTANCE_TYPES } from './sizes';

type FleetCapacity = Pick<
  FleetProps,
  | 'instanceTypes'
  | 'minSize'
  | 'maxSize'
  | 'onDemandBaseCapacity'
  | 'onDemandPercentageAboveBase'
  | 'healthCheckGracePeriod'
>;

/** Server types, sizes, purchase options and schedule of phase 4. */
export interface ElasticCapacity {
  readonly servers: FleetCapacity;
  readonly workers: FleetCapacity;
  readonly scaling: Pick<ScalingProps, 'minSize' | 'maxSize' | 'scheduledActions' | 'timeZone' | 'predictiveMode'>;
  /** Maximum number of servers and workers, which share the connections of the database. */
  readonly maxServers: number;
  readonly spot: boolean;
}

const INSTANCE_TYPES = ELASTIC_INSTANCE_TYPES.map((name) => new InstanceType(name));
export const PREFERRED_SERVER_TYPE = INSTANCE_TYPES[0] as InstanceType;

/** Fills in the defaults of `props`. By day the minimum is two servers higher. */
export function elasticCapacity(props: ElasticProps): ElasticCapacity {
  const { minServers = 2, maxServers = 20, maxWorkers = 10, spot = true, timeZone, predictive } = props;
  const onDemandPercentageAboveBase = spot ? 0 : 100;
  return {
    servers: {
      instanceTypes: INSTANCE_TYPES,
      minSize: minServers,
      maxSize: maxServers,
      onDemandBaseCapacity: 2,
      onDemandPercentageAboveBase,
      healthCheckGracePeriod: Duration.seconds(120),
    },
    workers: { instanceTypes: INSTANCE_TYPES, minSize: 1, maxSize: maxWorkers, onDemandPercentageAboveBase },
    scaling: {
      minSize: minServers,
      maxSize: maxServers,
      scheduledActions: [
        { name: 'Morning', cron: '0 7 * * *', minSize: Math.min(maxServers, minServers + 2) },
        { name: 'Night', cron: '0 23 * * *', minSize: minServers },
      ],
      timeZone,
      predictiveMode: predictive,
    },
    maxServers: maxServers + maxWorkers,
    spot,
  };
}
