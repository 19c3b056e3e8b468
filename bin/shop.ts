import { App } from 'aws-cdk-lib';
import { buildApp } from '../lib/app-bundle';
import { EDGE_REGION, EdgeStack } from '../lib/phases/edge-parts';
import { SingleBox } from '../lib/phases/phase-1-single-box';
import { SeparateDatabase } from '../lib/phases/phase-2-separate-database';
import { LoadBalancedFarm } from '../lib/phases/phase-3-load-balanced-farm';
import { ElasticFleet } from '../lib/phases/phase-4-elastic-fleet';
import { readSettings } from '../lib/phases/settings';
import { ShopStack } from '../lib/phases/shop-stack';
import { UsageError } from '../lib/usage-error';

/** The CDK app: one stack per phase, all of the same CloudFormation name. */
function synthesize(): void {
  const app = new App();
  const { stackName, unprotectedBecause, ...settings } = readSettings((name) => app.node.tryGetContext(name));
  const stackProps = { stackName, unprotectedBecause };
  const props = { appBundle: buildApp().dir, ...settings };

  new SingleBox(new ShopStack(app, 'phase-1', stackProps), 'Shop', props);
  new SeparateDatabase(new ShopStack(app, 'phase-2', stackProps), 'Shop', props);
  new LoadBalancedFarm(new ShopStack(app, 'phase-3', stackProps), 'Shop', props);

  const phase4 = new ShopStack(app, 'phase-4', stackProps);
  // The region that the CDK command line is about to deploy to; unknown outside of it.
  const region = process.env.CDK_DEFAULT_REGION || EDGE_REGION;
  const edge = region === EDGE_REGION ? undefined : new EdgeStack(app, 'phase-4-edge', { ...stackProps, ...props });
  new ElasticFleet(phase4, 'Shop', { ...props, edgeParts: edge?.seenFrom(phase4) });

  app.synth();
}

try {
  synthesize();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
