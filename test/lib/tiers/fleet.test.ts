import { spawnSync } from 'node:child_process';
import { Duration, type Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { APP_DRAIN, LIFECYCLE_POLL, READINESS_GRACE, TERMINATION_HOOK } from '../../../lib/constants';
import { Fleet, type FleetProps } from '../../../lib/tiers/fleet';
import { Network } from '../../../lib/tiers/network';
import { StateKey } from '../../../lib/tiers/state-key';
import { APP_BUNDLE, makeStack, templateOf } from '../../support/stack';
import { resourcesOf } from '../../support/templates';

const GROUP = 'AWS::AutoScaling::AutoScalingGroup';
const TEMPLATE = 'AWS::EC2::LaunchTemplate';

function make(props: Partial<FleetProps> = {}) {
  const stack = makeStack();
  const { vpc } = new Network(stack, 'Network');
  const { key } = new StateKey(stack, 'StateKey');
  const secret = new Secret(stack, 'Secret', { encryptionKey: key });
  const fleet = new Fleet(stack, 'Fleet', {
    vpc,
    instanceTypes: [new InstanceType('t4g.medium')],
    minSize: 5,
    maxSize: 5,
    appName: 'shop',
    bundle: APP_BUNDLE,
    setupScript: 'host/configure.sh',
    targetGroupArn: 'arn:the-target-group',
    secrets: [secret],
    ...props,
  });
  return {
    stack,
    fleet,
    get template() {
      return Template.fromStack(stack);
    },
  };
}

/** Returns the user data, with VALUE in place of CloudFormation intrinsics. */
function userDataOf(stack: Stack): string {
  const [launchTemplate] = Object.values(resourcesOf(templateOf(stack), TEMPLATE));
  const [, parts] = launchTemplate.Properties.LaunchTemplateData.UserData['Fn::Base64']['Fn::Join'];
  return parts.map((part: unknown) => (typeof part === 'string' ? part : 'VALUE')).join('');
}

const spot = {
  instanceTypes: ['m7g.large', 'm6g.large', 'c7g.xlarge', 'c6g.xlarge'].map((type) => new InstanceType(type)),
  minSize: 2,
  maxSize: 20,
  onDemandBaseCapacity: 2,
  onDemandPercentageAboveBase: 0,
};

describe('Fleet', () => {
  const { stack, template } = make();

  test('launches servers without public IP addresses and SSH keys, with IMDSv2 only and encrypted volumes', () => {
    template.hasResourceProperties(TEMPLATE, {
      LaunchTemplateData: {
        ImageId: 'resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64',
        MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
        BlockDeviceMappings: [{ Ebs: { Encrypted: true, DeleteOnTermination: true, KmsKeyId: Match.absent() } }],
        Monitoring: { Enabled: true },
        KeyName: Match.absent(),
        NetworkInterfaces: Match.absent(),
      },
    });
    const [{ Properties: group }] = Object.values(resourcesOf(templateOf(stack), GROUP)) as [{ Properties: never }];
    expect(JSON.stringify(group)).not.toContain('PublicSubnet');
    expect(Object.keys(resourcesOf(templateOf(stack), 'AWS::AutoScaling::LaunchConfiguration'))).toEqual([]);
  });

  test('spans three zones, and sets no desired capacity', () => {
    template.hasResourceProperties(GROUP, {
      MinSize: '5',
      MaxSize: '5',
      DesiredCapacity: Match.absent(),
      VPCZoneIdentifier: [1, 2, 3].map((zone) => ({ Ref: Match.stringLikeRegexp(`AppSubnet${zone}`) })),
      MetricsCollection: [{ Granularity: '1Minute' }],
    });
  });

  test('uses ELB health checks with a grace period behind a load balancer, and EC2 health checks otherwise', () => {
    template.hasResourceProperties(GROUP, {
      TargetGroupARNs: ['arn:the-target-group'],
      HealthCheckType: 'ELB',
      HealthCheckGracePeriod: 300,
    });
    make({ targetGroupArn: undefined, healthCheckGracePeriod: Duration.minutes(2) }).template.hasResourceProperties(
      GROUP,
      {
        TargetGroupARNs: Match.absent(),
        HealthCheckType: 'EC2',
        HealthCheckGracePeriod: 120,
      },
    );
  });

  test('replaces servers one at a time, each after the success signal of the previous one', () => {
    template.hasResource(GROUP, {
      CreationPolicy: { ResourceSignal: { Count: 5, Timeout: 'PT15M' } },
      UpdatePolicy: {
        AutoScalingRollingUpdate: {
          MaxBatchSize: 1,
          MinInstancesInService: 4,
          WaitOnResourceSignals: true,
          PauseTime: 'PT15M',
          SuspendProcesses: Match.arrayWith(['ReplaceUnhealthy', 'AlarmNotification']),
        },
      },
    });
    const elastic = make({ minSize: 2, maxSize: 20 }).template;
    elastic.hasResource(GROUP, { UpdatePolicy: { AutoScalingRollingUpdate: { MinInstancesInService: 2 } } });
  });

  test('uses the latest version of its launch template, so that a new release or setting replaces the servers', () => {
    template.hasResourceProperties(GROUP, {
      LaunchTemplate: { Version: { 'Fn::GetAtt': [Match.anyValue(), 'LatestVersionNumber'] } },
    });
    expect(userDataOf(make({ environment: { PHASE: '3' } }).stack)).toContain("export PHASE='3'\n");
  });

  test('creates the policy of its role before the group', () => {
    const [group] = Object.values(resourcesOf(templateOf(stack), GROUP));
    const types = group.DependsOn.map((id: string) => templateOf(stack).Resources[id].Type);
    expect(types).toEqual(expect.arrayContaining(['AWS::IAM::Policy', 'AWS::EC2::SubnetRouteTableAssociation']));
  });

  test('waits for launch dependencies', () => {
    const { stack: other, fleet } = make();
    fleet.addLaunchDependency(new Secret(other, 'Needed'));
    const [group] = Object.values(resourcesOf(templateOf(other), GROUP));
    expect(group.DependsOn).toContainEqual(expect.stringMatching(/^Needed/));
  });

  test('may read only its bundle and secrets, and complete only its lifecycle actions', () => {
    const [policy] = Object.values(
      template.findResources('AWS::IAM::Policy', {
        Properties: { Roles: [{ Ref: Match.stringLikeRegexp('^FleetRole') }] },
      }),
    );
    const statements = policy?.Properties.PolicyDocument.Statement as {
      Action: string | string[];
      Resource: unknown;
    }[];
    const resourceOf = (action: string) =>
      JSON.stringify(statements.find((one) => [one.Action].flat().includes(action))?.Resource);
    const [groupId] = Object.keys(resourcesOf(templateOf(stack), GROUP));
    expect(resourceOf('s3:GetObject')).toMatch(/\/[0-9a-f]{64}\.zip/);
    expect(resourceOf('secretsmanager:GetSecretValue')).toMatch(/"Ref":"Secret/);
    expect(resourceOf('cloudformation:SignalResource')).toBe('{"Ref":"AWS::StackId"}');
    expect(resourceOf('autoscaling:CompleteLifecycleAction')).toContain(`-${groupId}-*`);
    expect(statements.flatMap((one) => one.Action).filter((action) => action.includes('*'))).toEqual([]);
  });

  test('holds a terminating server with a lifecycle hook until its service has stopped', () => {
    template.hasResourceProperties(GROUP, {
      LifecycleHookSpecificationList: [
        {
          LifecycleHookName: 'drain',
          LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
          HeartbeatTimeout: TERMINATION_HOOK,
          DefaultResult: 'CONTINUE',
        },
      ],
    });
    expect(userDataOf(stack)).toContain('--lifecycle-hook-name drain ');
    expect(TERMINATION_HOOK).toBeGreaterThan(LIFECYCLE_POLL + READINESS_GRACE + APP_DRAIN);
  });

  test('uses On-Demand servers of one type by default', () => {
    template.hasResourceProperties(GROUP, {
      MixedInstancesPolicy: Match.absent(),
      CapacityRebalance: Match.absent(),
    });
  });

  test('uses several types and spot above the On-Demand base capacity', () => {
    make(spot).template.hasResourceProperties(GROUP, {
      LaunchTemplate: Match.absent(),
      CapacityRebalance: true,
      MixedInstancesPolicy: {
        InstancesDistribution: {
          OnDemandAllocationStrategy: 'prioritized',
          OnDemandBaseCapacity: 2,
          OnDemandPercentageAboveBaseCapacity: 0,
          SpotAllocationStrategy: 'price-capacity-optimized',
        },
        LaunchTemplate: {
          LaunchTemplateSpecification: { Version: { 'Fn::GetAtt': [Match.anyValue(), 'LatestVersionNumber'] } },
          Overrides: spot.instanceTypes.map((type) => ({ InstanceType: type.toString() })),
        },
      },
    });
  });

  test('returns metrics of the whole group', () => {
    const { fleet, stack: own } = make();
    const dimensions = { AutoScalingGroupName: { Ref: Object.keys(resourcesOf(templateOf(own), GROUP))[0] } };
    for (const [metric, namespace] of [
      [fleet.metric('CPUUtilization', 'Average'), 'AWS/EC2'],
      [fleet.metricGroup('GroupInServiceInstances', 'Minimum'), 'AWS/AutoScaling'],
      [fleet.metricMemoryUsed(), 'Host'],
    ] as const) {
      expect([metric.namespace, own.resolve(metric.dimensions)]).toEqual([namespace, dimensions]);
    }
  });

  test.each<[Partial<FleetProps>, string]>([
    [{ instanceTypes: [] }, 'instanceTypes must contain at least one Graviton type, got [].'],
    [{ instanceTypes: [new InstanceType('m7i.large')] }, 'instanceTypes must be arm64, got m7i.large.'],
    [{ minSize: 0 }, 'minSize must be a whole number of at least 1, got 0.'],
    [{ minSize: 6 }, 'maxSize must be a whole number of at least minSize (6), got 5.'],
    [{ onDemandBaseCapacity: 6 }, 'onDemandBaseCapacity must be a whole number from 0 to maxSize (5), got 6.'],
    [
      { onDemandPercentageAboveBase: 101 },
      'onDemandPercentageAboveBase must be a whole number from 0 to 100, got 101.',
    ],
    [{ appName: 'My Shop' }, 'appName must be lowercase letters, digits and dashes, got "My Shop".'],
    [{ service: 'a b' }, 'service must be lowercase letters, digits and dashes, got "a b".'],
    [
      { setupTimeout: Duration.minutes(5) },
      'setupTimeout must be from healthCheckGracePeriod plus one minute (360 s) to 3600 s, got 300 s.',
    ],
    [{ maxInstanceLifetime: Duration.hours(0) }, 'maxInstanceLifetime must be from 1 to 365 days, got 0 days.'],
    [{ environment: { NAME: "it's" } }, 'environment variable NAME must not contain quotes or newlines, got "it\'s"'],
  ])('rejects %j', (props, message) => {
    expect(() => make(props)).toThrow(message);
  });
});

describe('the user data of a fleet', () => {
  const script = userDataOf(make().stack);

  test('is clean for shellcheck', () => {
    if (spawnSync('shellcheck', ['--version']).error) {
      console.warn(
        'SKIPPED: shellcheck is not installed (apt-get install shellcheck), so the user data is not checked',
      );
      return;
    }
    const check = (text: string) => spawnSync('shellcheck', ['-'], { encoding: 'utf8', input: text }).stdout;
    expect(check(script)).toBe('');
    expect(check(between(script, "<<'SCRIPT'\n", '\nSCRIPT'))).toBe('');
  });

  test('fits the size limit of EC2', () => {
    // The limit applies to the raw size. CloudFormation inserts ARNs of a few hundred bytes.
    expect(script.length).toBeLessThan(16_384 - 2_000);
  });

  /** Runs the part that signals CloudFormation, with stubs for the AWS CLI. */
  const finish = (health: string) =>
    spawnSync(
      'bash',
      [
        '--norc',
        '-c',
        `set -euo pipefail
        sleep() { :; }
        aws() { case $2 in describe-target-health) echo ${health} ;; signal-resource) echo "signal \${!#}" ;; esac; }
        fail() { echo "error: $*"; exit 1; }
        STACK_ID=stack GROUP_ID=Group INSTANCE_ID=i-1 TARGET_GROUP_ARN=arn
        ${between(script, '# Only during a deploy', '\nrpm -q')}
        ${between(script, 'enable -q --now leave-fleet\n', '')}`,
      ],
      { encoding: 'utf8' },
    );

  test('signals success only when the target is healthy', () => {
    expect(finish('healthy')).toMatchObject({ status: 0, stdout: 'signal SUCCESS\n' });
    expect(finish('unhealthy')).toMatchObject({
      status: 1,
      stdout: 'error: the balancer calls this server unhealthy\nsignal FAILURE\n',
    });
  });

  test('stops the service on termination, then completes the lifecycle action', () => {
    const { stdout } = spawnSync(
      'bash',
      [
        '--norc',
        '-c',
        `asked=0
        sleep() { :; }
        curl() { [[ $* == *token* && $* == *PUT* ]] && { echo token; return; }; echo x >>"$CALLS"; [[ $(wc -l <"$CALLS") -lt 3 ]] && echo InService || echo Terminated; }
        systemctl() { echo "systemctl $*"; }
        aws() { [[ $2 == describe-auto-scaling-instances ]] && echo the-group || echo "$*"; }
        CALLS=$(mktemp); SERVICE=shop INSTANCE_ID=i-1
        ${between(script, "<<'SCRIPT'\n", '\nSCRIPT')}
        rm "$CALLS"`,
      ],
      { encoding: 'utf8' },
    );
    expect(stdout).toBe(
      'systemctl stop shop\nautoscaling complete-lifecycle-action --auto-scaling-group-name the-group ' +
        '--instance-id i-1 --lifecycle-hook-name drain --lifecycle-action-result CONTINUE\n',
    );
  });
});

/** Returns the text between `from` and `to`, or up to the end if `to` is empty. */
function between(text: string, from: string, to: string): string {
  const start = text.indexOf(from) + (from.startsWith('#') ? 0 : from.length);
  const end = to === '' ? text.length : text.indexOf(to, start);
  if (start < from.length - 1 || end < 0) throw new Error(`no "${from}" … "${to}" in the text`);
  return text.slice(start, end);
}
