import { GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { Edge } from '../tiers/edge';

/**
 * Dashboard row of the CloudFront distribution. It has no alarms: CloudFront publishes metrics in us-east-1, where the alarms
 * would have to be as well, and the alarms of the load balancer cover user impact.
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
      new GraphWidget({ ...row, title: 'Edge: bytes downloaded', left: [edge.metric('BytesDownloaded', 'Sum')] }),
    ],
  ];
}
