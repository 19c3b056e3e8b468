import { Aws, Size } from 'aws-cdk-lib';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import { NODE_MAJOR, POSTGRES_MAJOR } from '../constants';
import type { BoxProps } from '../tiers/box';
import type { ShopProps } from './shop-props';
import { sizes } from './sizes';

/** What `app/host/configure.sh` is told besides. */
export interface ShopOnBoxSettings {
  readonly PHASE: string;
  readonly SESSION_SECRET_ARN: string;
  /** Secret of the database; without one the box runs PostgreSQL itself. */
  readonly DATABASE_SECRET_ARN?: string;
}

/** The part of a box's props that makes it run the shop. */
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

/** The step of the ladder that was asked for. */
export function boxSize(props: ShopProps) {
  const { instanceType, dataGib, dataIops, dataThroughput } = sizes[props.size ?? 'launch'];
  return {
    instanceType: new InstanceType(instanceType),
    dataSize: Size.gibibytes(dataGib),
    dataIops,
    dataThroughput,
  };
}
