/** A step of the vertical ladder, as `-c size=` takes it; the planner imports no CDK, and a test holds it to lib/phases/sizes.ts. */
export interface LadderStep {
  readonly name: string;
  readonly instanceType: string;
  readonly vcpus: number;
  readonly dataGib: number;
  readonly dataIops: number;
  /** MiB/s. */
  readonly dataThroughput: number;
}

export const ladder: readonly LadderStep[] = [
  step('launch', 't4g.medium', 2, 500, 3000, 125),
  step('growth', 'm7g.xlarge', 4, 1000, 6000, 250),
  step('8vcpu', 'm7g.2xlarge', 8, 1000, 8000, 400),
  step('16vcpu', 'm7g.4xlarge', 16, 2000, 12_000, 500),
  step('32vcpu', 'm7g.8xlarge', 32, 2000, 16_000, 750),
  step('64vcpu', 'r7g.16xlarge', 64, 4000, 16_000, 1000),
];

function step(
  name: string,
  instanceType: string,
  vcpus: number,
  dataGib: number,
  dataIops: number,
  dataThroughput: number,
): LadderStep {
  return { name, instanceType, vcpus, dataGib, dataIops, dataThroughput };
}
