import { type ResolvedTemplate, referencedId, referencedIds } from '../../cloudformation/resolve';
import { asList, byUsage, fixed, isTrue, type Pricer } from './charges';

export const queue: Pricer = (properties, { usage, template }, id) => {
  // Only messages that failed come into a dead-letter queue.
  const deadLetters = [...template.resources.values()].some(
    ({ Type, Properties }) =>
      Type === 'AWS::SQS::Queue' && referencedId(Properties?.RedrivePolicy?.deadLetterTargetArn) === id,
  );
  const key = isTrue(properties.FifoQueue) ? 'sqs.fifo' : 'sqs.standard';
  return { charges: [byUsage('calls', key, deadLetters ? 0 : usage?.queueCalls)] };
};

export const bucket: Pricer = () => ({
  charges: [
    byUsage('storage', 's3.storage', undefined),
    byUsage('writes', 's3.put', undefined),
    byUsage('reads', 's3.get', undefined),
  ],
});

export const lambda: Pricer = (properties) => {
  const arch = properties.Architectures?.[0] === 'arm64' ? 'arm64' : 'amd64';
  return {
    charges: [byUsage('calls', 'lambda.requests', undefined), byUsage('time', `lambda.duration.${arch}`, undefined)],
  };
};

export const key: Pricer = () => ({
  charges: [fixed('key', 'kms.key', 1), byUsage('calls', 'kms.calls', undefined)],
});

export const secret: Pricer = () => ({
  charges: [fixed('secret', 'secrets.secret', 1), byUsage('calls', 'secrets.calls', undefined)],
});

export const logGroup: Pricer = (properties, { usage, template }, id) => {
  const ofFlows = [...template.resources.values()].some(
    ({ Type, Properties }) => Type === 'AWS::EC2::FlowLog' && referencedId(Properties?.LogGroupName) === id,
  );
  const logs = serverLogs(template);
  const written = ofFlows ? usage?.flowLogGib : logs.includes(id) && usage ? usage.logGib / logs.length : undefined;
  const months = properties.RetentionInDays === undefined ? undefined : Number(properties.RetentionInDays) / 30;
  return {
    charges: [
      byUsage('logs written', 'logs.ingest', written),
      byUsage(
        'logs kept',
        'logs.storage',
        written !== undefined && months !== undefined ? written * months : undefined,
      ),
    ],
  };
};

/** Log groups that servers are told of when they start; which of them writes how much is not known. */
function serverLogs({ resources }: ResolvedTemplate): string[] {
  const told = [...resources.values()]
    .filter(({ Type }) => Type === 'AWS::EC2::LaunchTemplate')
    .flatMap(({ Properties }) => referencedIds(Properties));
  return [...new Set(told)].filter((id) => resources.get(id)?.Type === 'AWS::Logs::LogGroup');
}

/** Below this period, in seconds, an alarm is of high resolution, and costs more. */
const STANDARD_PERIOD = 60;

/** An alarm on an expression costs as much as an alarm on each of its metrics. */
export const alarm: Pricer = (properties) => {
  const metrics = asList(properties.Metrics);
  const periods = [properties.Period, ...metrics.map((metric) => metric.MetricStat?.Period)];
  if (periods.some((period) => Number(period) < STANDARD_PERIOD)) {
    return { unpriced: 'no price for alarms of high resolution' };
  }
  const watched = Math.max(1, metrics.filter(({ MetricStat }) => MetricStat !== undefined).length);
  return { charges: [fixed(watched === 1 ? 'alarm' : `alarm on ${watched} metrics`, 'cloudwatch.alarm', watched)] };
};

export const dashboard: Pricer = () => ({ charges: [fixed('dashboard', 'cloudwatch.dashboard', 1)] });
