import { Duration } from 'aws-cdk-lib';
import { type Alarm, GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { ApplicationLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { LoadBalancer } from '../tiers/load-balancer';
import { RunbookAlarm } from './runbook-alarm';

export interface LoadBalancerMonitoringProps {
  readonly loadBalancer: LoadBalancer;
  readonly topic: ITopic;
}

/** Alarms and dashboard rows of the load balancer and its targets. */
export class LoadBalancerMonitoring extends Construct {
  readonly widgets: IWidget[][];
  /** Alarms that mean that users get errors or no response. */
  readonly userFacingAlarms: readonly Alarm[];

  constructor(scope: Construct, id: string, props: LoadBalancerMonitoringProps) {
    super(scope, id);
    const healthAlarms = this.addHealthAlarms(props);
    // A Network Load Balancer has no request metrics.
    const hasRequestMetrics = props.loadBalancer.loadBalancer instanceof ApplicationLoadBalancer;
    this.userFacingAlarms = hasRequestMetrics ? [...healthAlarms, ...this.addRequestAlarms(props)] : healthAlarms;
    this.widgets = hasRequestMetrics ? requestGraphs(props) : connectionGraphs(props);
  }

  private addHealthAlarms({ loadBalancer, topic }: LoadBalancerMonitoringProps): Alarm[] {
    const noServer = new RunbookAlarm(this, 'NoServer', {
      topic,
      metric: loadBalancer.metricTargets('HealthyHostCount', 'Maximum'),
      atMost: 0,
      period: Duration.minutes(1),
      duration: Duration.minutes(2),
      treatMissingDataAsBreaching: true,
      heading: 'No healthy server',
      meaning: 'The load balancer has no healthy target. The shop is probably down.',
      firstStep: 'Check whether servers are running, or all of them fail for a common reason such as the last deploy.',
    });
    new RunbookAlarm(this, 'UnhealthyServer', {
      topic,
      metric: loadBalancer.metricTargets('UnHealthyHostCount', 'Minimum'),
      atLeast: 1,
      period: Duration.minutes(1),
      duration: Duration.minutes(10),
      heading: 'Server unhealthy',
      meaning: 'A server has been unhealthy for 10 minutes and was not replaced. The other servers carry its load.',
      firstStep: 'Check the activity history of the Auto Scaling group.',
    });
    return [noServer.alarm];
  }

  private addRequestAlarms({ loadBalancer, topic }: LoadBalancerMonitoringProps): Alarm[] {
    const balancer = new RunbookAlarm(this, 'BalancerErrors', {
      topic,
      metric: loadBalancer.metric('HTTPCode_ELB_5XX_Count', 'Sum'),
      atLeast: 25,
      duration: Duration.minutes(5),
      heading: 'Load balancer 5xx errors',
      meaning: 'The load balancer generated at least 25 responses with a 5xx status within 5 minutes.',
      firstStep:
        'Check its access logs: servers closed connections (502), none was available (503), or responses timed out (504).',
    });
    const app = new RunbookAlarm(this, 'AppErrors', {
      topic,
      metric: loadBalancer.metricTargets('HTTPCode_Target_5XX_Count', 'Sum'),
      atLeast: 25,
      duration: Duration.minutes(10),
      heading: 'App 5xx errors',
      meaning: 'The app returned at least 25 responses with a 5xx status in each of two 5-minute periods.',
      firstStep: 'Check its error log, and whether it sheds load (503).',
    });
    new RunbookAlarm(this, 'Slow', {
      topic,
      metric: loadBalancer.metricTargets('TargetResponseTime', 'p99'),
      atLeast: 1,
      duration: Duration.minutes(15),
      heading: 'High latency',
      meaning: 'The p99 response time has been at least 1 second for 15 minutes.',
      firstStep: 'Check which metric of the dashboard rose with it: servers, cache, primary or replicas.',
    });
    return [balancer.alarm, app.alarm];
  }
}

const ROW = { width: 6, height: 6 };

function requestGraphs({ loadBalancer }: LoadBalancerMonitoringProps): IWidget[][] {
  return [
    [
      new GraphWidget({ ...ROW, title: 'Load balancer: requests', left: [loadBalancer.metric('RequestCount', 'Sum')] }),
      new GraphWidget({
        ...ROW,
        title: 'Load balancer: errors',
        left: [
          loadBalancer.metric('HTTPCode_ELB_5XX_Count', 'Sum'),
          loadBalancer.metricTargets('HTTPCode_Target_5XX_Count', 'Sum'),
          loadBalancer.metric('RejectedConnectionCount', 'Sum'),
        ],
      }),
      new GraphWidget({
        ...ROW,
        title: 'Response time (s)',
        left: [
          loadBalancer.metricTargets('TargetResponseTime', 'p50'),
          loadBalancer.metricTargets('TargetResponseTime', 'p99'),
        ],
      }),
      healthGraph(loadBalancer),
    ],
  ];
}

function connectionGraphs({ loadBalancer }: LoadBalancerMonitoringProps): IWidget[][] {
  return [
    [
      new GraphWidget({
        ...ROW,
        title: 'Load balancer: connections',
        left: [loadBalancer.metric('ActiveFlowCount', 'Average'), loadBalancer.metric('NewFlowCount', 'Sum')],
      }),
      new GraphWidget({
        ...ROW,
        title: 'Load balancer: resets',
        left: [loadBalancer.metric('TCP_Target_Reset_Count', 'Sum'), loadBalancer.metric('TCP_ELB_Reset_Count', 'Sum')],
      }),
      new GraphWidget({ ...ROW, title: 'Load balancer: bytes', left: [loadBalancer.metric('ProcessedBytes', 'Sum')] }),
      healthGraph(loadBalancer),
    ],
  ];
}

function healthGraph(loadBalancer: LoadBalancer): IWidget {
  return new GraphWidget({
    ...ROW,
    title: 'Servers: healthy, unhealthy',
    left: [
      loadBalancer.metricTargets('HealthyHostCount', 'Minimum'),
      loadBalancer.metricTargets('UnHealthyHostCount', 'Maximum'),
    ],
  });
}
