import { Aws, Size } from 'aws-cdk-lib';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import { NODE_MAJOR, POSTGRES_MAJOR } from '../constants';
import type { BoxProps } from '../tiers/box';
import type { ShopProps } from './shop-props';
import { sizes } from './sizes';

/** Settings of the shop, as `app/host/configure.sh` takes them. */
export interface ShopOnBoxSettings {
  readonly PHASE: string;
  readonly SESSION_SECRET_ARN: string;
  /** Secret of the database. Without one, the instance runs its own PostgreSQL. */
  readonly DATABASE_SECRET_ARN?: string;
}

/** The props of a box that make it run the shop. */
export function shopOnBox(
  props: ShopProps,
  settings: ShopOnBoxSettings,
): Pick<BoxProps, 'appName' | 'bundle' | 'setupScript' | 'environment' | 'openPorts'> {
  return {
    appName: 'shop',
    bundle: props.appBundle,
    setupScript: 'host/configure.sh',
    environment: {
      ...settings,
      STACK_ID: Aws.STACK_ID,
      NODE_MAJOR: String(NODE_MAJOR),
      POSTGRES_MAJOR: String(POSTGRES_MAJOR),
      ...(props.domainName ? { DOMAIN_NAME: props.domainName } : {}),
    },
    openPorts: props.domainName ? [80, 443] : [80],
  };
}

/** The props of a box for the size in `props`. */
export function boxSize(props: ShopProps) {
  const { instanceType, dataGib, dataIops, dataThroughput } = sizes[props.size ?? 'launch'];
  return {
    instanceType: new InstanceType(instanceType),
    dataSize: Size.gibibytes(dataGib),
    dataIops,
    dataThroughput,
  };
}
