import { MathExpression, type Metric } from 'aws-cdk-lib/aws-cloudwatch';

/** The highest of several metrics at each moment: one alarm for all nodes, whichever of them is the primary. */
export function highest(metrics: readonly Metric[], label: string): MathExpression {
  const usingMetrics = Object.fromEntries(metrics.map((metric, index) => [`m${index + 1}`, metric]));
  return new MathExpression({ expression: `MAX([${Object.keys(usingMetrics).join(', ')}])`, usingMetrics, label });
}
