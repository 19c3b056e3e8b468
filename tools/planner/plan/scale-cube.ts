/**
 * Axis of the AKF scale cube for each step between phases: X clones, Y splits by function, Z splits by data. Scaling up
 * is none of them.
 *
 * @see https://akfpartners.com/growth-blog/scale-cube
 */
export const scaleCubeAxes: readonly {
  readonly from: string;
  readonly to: string;
  readonly axis: string;
  readonly how: string;
}[] = [
  { from: 'phase-1', to: 'phase-1', axis: 'up', how: 'a larger instance, until the largest size' },
  { from: 'phase-1', to: 'phase-2', axis: 'Y', how: 'the database on a separate instance' },
  { from: 'phase-2', to: 'phase-3', axis: 'X', how: 'identical servers behind a load balancer, read replicas' },
  {
    from: 'phase-3',
    to: 'phase-4',
    axis: 'X, Y',
    how: 'Auto Scaling of the servers; files at the edge, jobs on workers',
  },
  { from: 'phase-4', to: 'phase-5', axis: 'Y, Z', how: 'services by function, data in shards, multiple regions' },
];
