/**
 * The steps from phase to phase, with their axis of the scale cube: X more clones, Y split by function, Z split by data. Up, a
 * bigger machine, is none of them.
 *
 * @see https://akfpartners.com/growth-blog/scale-cube
 */
export const steps: readonly {
  readonly from: string;
  readonly to: string;
  readonly axis: string;
  readonly how: string;
}[] = [
  { from: 'phase-1', to: 'phase-1', axis: 'up', how: 'a bigger box, for as long as there is one' },
  { from: 'phase-1', to: 'phase-2', axis: 'Y', how: 'the database on a machine of its own' },
  { from: 'phase-2', to: 'phase-3', axis: 'X', how: 'equal servers behind a balancer, equal replicas for reads' },
  {
    from: 'phase-3',
    to: 'phase-4',
    axis: 'X, Y',
    how: 'clones come and go by themselves; files at the edge, jobs on workers',
  },
  { from: 'phase-4', to: 'phase-5', axis: 'Y, Z', how: 'services by function, data in shards, more than one region' },
];
