import { Annotations, App } from 'aws-cdk-lib';
import { EDGE_REGION, EdgeStack } from '../lib/phases/edge-parts';
import { SingleBox } from '../lib/phases/phase-1-single-box';
import { SeparateDatabase } from '../lib/phases/phase-2-separate-database';
import { LoadBalancedFarm } from '../lib/phases/phase-3-load-balanced-farm';
import { ElasticFleet } from '../lib/phases/phase-4-elastic-fleet';
import { SettingError } from '../lib/phases/setting-error';
import { readSettings } from '../lib/phases/settings';
import { ShopStack } from '../lib/phases/shop-stack';
import { transitionError } from '../lib/phases/transitions';
import { runningPhase } from '../tools/evolution/running-phase';
import { buildApp } from '../tools/support/app-bundle';

/** The CDK app: one stack per phase, all with the same CloudFormation stack name. */
async function synthesize(): Promise<void> {
  const app = new App();
  const { stackName, unprotectedBecause, goBackFrom, ...settings } = readSettings((name) =>
    app.node.tryGetContext(name),
  );
  const stackProps = { stackName, unprotectedBecause };
  const props = { appBundle: buildApp().dir, ...settings };

  const stack = (number: number) => new ShopStack(app, `phase-${number}`, stackProps);
  const [phase1, phase2, phase3, phase4] = [stack(1), stack(2), stack(3), stack(4)];

  new SingleBox(phase1, 'Shop', props);
  new SeparateDatabase(phase2, 'Shop', props);
  new LoadBalancedFarm(phase3, 'Shop', props);

  // Target region of the deploy, set by the CDK CLI only.
  const region = process.env.CDK_DEFAULT_REGION || EDGE_REGION;
  const edge = region === EDGE_REGION ? undefined : new EdgeStack(app, 'phase-4-edge', { ...stackProps, ...props });
  new ElasticFleet(phase4, 'Shop', { ...props, edgeParts: edge?.exportTo(phase4) });

  const running = await runningPhase(stackName);
  for (const [index, phase] of [phase1, phase2, phase3, phase4].entries()) {
    const why = running && transitionError(running, index + 1, goBackFrom);
    // Fails only deploy, diff and synth of this stack.
    if (why) Annotations.of(phase).addError(why);
  }
  app.synth();
}

synthesize().catch((error) => {
  if (!(error instanceof SettingError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
});
