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

/** Alarms on the load balancer and on what it sees of the servers, and its rows of a dashboard. */
export class LoadBalancerMonitoring extends Construct {
  readonly widgets: IWidget[][];
  /** The alarms each of which means that visitors get errors or no answer. */
  readonly userFacingAlarms: readonly Alarm[];

  constructor(scope: Construct, id: string, props: LoadBalancerMonitoringProps) {
    super(scope, id);
    const servers = this.addHealthAlarms(props);
    // A network load balancer knows nothing of requests.
    const seesRequests = props.loadBalancer.loadBalancer instanceof ApplicationLoadBalancer;
    this.userFacingAlarms = seesRequests ? [...servers, ...this.addRequestAlarms(props)] : servers;
    this.widgets = seesRequests ? requestGraphs(props) : connectionGraphs(props);
  }

  private addHealthAlarms({ loadBalancer, topic }: LoadBalancerMonitoringProps): Alarm[] {
    const none = new RunbookAlarm(this, 'NoServer', {
      topic,
      metric: loadBalancer.metricTargets('HealthyHostCount', 'Maximum'),
      atMost: 0,
      period: Duration.minutes(1),
      duration: Duration.minutes(2),
      treatMissingDataAsBreaching: true,
      heading: 'No healthy server',
      meaning: 'The balancer finds no server healthy: the shop is most likely down.',
      firstStep: 'See whether the servers are there at all, or all fail for one reason such as the last deploy.',
    });
    new RunbookAlarm(this, 'UnhealthyServer', {
      topic,
      metric: loadBalancer.metricTargets('UnHealthyHostCount', 'Minimum'),
      atLeast: 1,
      period: Duration.minutes(1),
      duration: Duration.minutes(10),
      heading: 'Server unhealthy',
      meaning: 'A server has been unhealthy for 10 minutes and was not replaced: the others carry its share.',
      firstStep: 'Look at the activities of the Auto Scaling group.',
    });
    return [none.alarm];
  }

  private addRequestAlarms({ loadBalancer, topic }: LoadBalancerMonitoringProps): Alarm[] {
    const balancer = new RunbookAlarm(this, 'BalancerErrors', {
      topic,
      metric: loadBalancer.metric('HTTPCode_ELB_5XX_Count', 'Sum'),
      atLeast: 25,
      duration: Duration.minutes(5),
      heading: 'Balancer answers 5xx',
      meaning: 'The balancer itself answered 25 requests with an error within 5 minutes, since no server did in time.',
      firstStep: 'See in its log whether servers closed connections (502), were missing (503) or were slow (504).',
    });
    const app = new RunbookAlarm(this, 'AppErrors', {
      topic,
      metric: loadBalancer.metricTargets('HTTPCode_Target_5XX_Count', 'Sum'),
      atLeast: 25,
      duration: Duration.minutes(10),
      heading: 'App answers 5xx',
      meaning: 'The app has answered 25 requests and more with an error in each of two spans of 5 minutes.',
      firstStep: 'Look for what it says in its log, and whether it sheds load (503).',
    });
    new RunbookAlarm(this, 'Slow', {
      topic,
      metric: loadBalancer.metricTargets('TargetResponseTime', 'p99'),
      atLeast: 1,
      duration: Duration.minutes(15),
      heading: 'Shop slow',
      meaning: 'One request in a hundred has taken a second or longer for 15 minutes.',
      firstStep: 'See which line of the dashboard moved with it: servers, cache, primary or replicas.',
    });
    return [balancer.alarm, app.alarm];
  }
}

const ROW = { width: 6, height: 6 };

function requestGraphs({ loadBalancer }: LoadBalancerMonitoringProps): IWidget[][] {
  return [
    [
      new GraphWidget({ ...ROW, title: 'Balancer: requests', left: [loadBalancer.metric('RequestCount', 'Sum')] }),
      new GraphWidget({
        ...ROW,
        title: 'Balancer: errors',
        left: [
          loadBalancer.metric('HTTPCode_ELB_5XX_Count', 'Sum'),
          loadBalancer.metricTargets('HTTPCode_Target_5XX_Count', 'Sum'),
          loadBalancer.metric('RejectedConnectionCount', 'Sum'),
        ],
      }),
      new GraphWidget({
        ...ROW,
        title: 'Answer time (s)',
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
        title: 'Balancer: connections',
        left: [loadBalancer.metric('ActiveFlowCount', 'Average'), loadBalancer.metric('NewFlowCount', 'Sum')],
      }),
      new GraphWidget({
        ...ROW,
        title: 'Balancer: resets',
        left: [loadBalancer.metric('TCP_Target_Reset_Count', 'Sum'), loadBalancer.metric('TCP_ELB_Reset_Count', 'Sum')],
      }),
      new GraphWidget({ ...ROW, title: 'Balancer: bytes', left: [loadBalancer.metric('ProcessedBytes', 'Sum')] }),
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
