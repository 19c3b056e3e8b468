import { MathExpression, type Metric } from 'aws-cdk-lib/aws-cloudwatch';

/** Returns the maximum of several metrics, for one alarm on all nodes of a cluster. */
export function highest(metrics: readonly Metric[], label: string): MathExpression {
  const usingMetrics = Object.fromEntries(metrics.map((metric, index) => [`m${index + 1}`, metric]));
  return new MathExpression({ expression: `MAX([${Object.keys(usingMetrics).join(', ')}])`, usingMetrics, label });
}
