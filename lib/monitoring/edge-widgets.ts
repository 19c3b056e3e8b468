import { GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { Edge } from '../tiers/edge';

/**
 * The edge's row of a dashboard. It has no alarms of its own: CloudWatch keeps the edge's metrics in us-east-1, where an alarm
 * would have to be as well, and what visitors suffer shows at the load balancer.
 */
export function edgeWidgets(edge: Edge): IWidget[][] {
  const row = { width: 8, height: 6, region: 'us-east-1' };
  return [
    [
      new GraphWidget({ ...row, title: 'Edge: requests', left: [edge.metric('Requests', 'Sum')] }),
      new GraphWidget({
        ...row,
        title: 'Edge: errors (%)',
        left: [edge.metric('4xxErrorRate', 'Average'), edge.metric('5xxErrorRate', 'Average')],
      }),
      new GraphWidget({ ...row, title: 'Edge: bytes to visitors', left: [edge.metric('BytesDownloaded', 'Sum')] }),
    ],
  ];
}
