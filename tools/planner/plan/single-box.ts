import { type BoxSize, sizes } from '../../../lib/phases/sizes';
import type { PriceTable } from '../prices/table';
import { databaseFor, databaseNeed } from './database';
import { type MemoryNeed, memoryNeed, type NetworkLimit, networkLimit } from './machine';
import { type PhasePlan, type PhaseRefusal, type PhaseTemplates, refuse } from './phase-plan';
import { billAt, databaseOf } from './phase-template';
import {
  arrivals,
  boxReason,
  databaseReasons,
  exceedsBox,
  lacksRedundancy,
  machineReasons,
  ONE_MACHINE,
} from './reasons';
import { databaseVcpus, jobVcpus, type Load, loadOf, type PlanInput, serverVcpus } from './workload';

/** Plans phase 1 or 2 on the smallest instance of the ladder that carries the peak. */
export function planSingleBox(
  phase: 'phase-1' | 'phase-2',
  input: PlanInput,
  templates: PhaseTemplates,
  prices: PriceTable,
): PhasePlan | PhaseRefusal {
  const { traffic, utilization, survive } = input;
  if (survive !== 'nothing') return refuse(phase, lacksRedundancy(survive));
  const separate = phase === 'phase-2';
  const load = loadOf(input, traffic.rps, false);
  const busy = busyVcpus(input, load, separate);
  const boxes = boxesFor(input, prices, separate);
  const box = boxes.find(
    ({ vcpus, memory, network }) =>
      vcpus * utilization >= busy && memory.fits && network.law.lambda * utilization >= traffic.rps,
  );
  if (!box) return refuse(phase, exceedsBox(boxes.at(-1) as Box, busy, utilization));
  const { name, instanceType, vcpus, memory, network } = box;
  const database = separate
    ? databaseFor(
        databaseNeed(input, load, vcpus, { replicated: false, proxied: false }),
        prices,
        databaseOf(templates, phase),
      )
    : undefined;
  if (database && 'why' in database) return refuse(phase, database.why);
  return {
    phase,
    holds: true,
    serversHoldRps: Math.min((traffic.rps * vcpus * utilization) / busy, network.law.lambda * utilization),
    servers: 1,
    averageServers: 1,
    serverType: instanceType,
    workers: 0,
    instances: {},
    database,
    context: [`size=${name}`],
    reasons: [
      ...arrivals(input, load, false),
      boxReason(input, box, busy, separate),
      ...machineReasons(input, instanceType, memory, network, traffic.rps, !separate),
      ...(database ? databaseReasons(database, input, load) : []),
      ONE_MACHINE,
    ],
    bill: billAt(templates, phase, { box, databaseClass: database?.class }, {}, input, prices),
  };
}

interface Box extends BoxSize {
  readonly name: string;
  readonly memory: MemoryNeed;
  readonly network: NetworkLimit;
}

function boxesFor(input: PlanInput, prices: PriceTable, separate: boolean): Box[] {
  return Object.entries(sizes).map(([name, size]) => ({
    name,
    ...size,
    memory: memoryNeed([size.instanceType], size.vcpus, input, prices, !separate),
    network: networkLimit([size.instanceType], input, prices, separate),
  }));
}

function busyVcpus(input: PlanInput, load: Load, separate: boolean): number {
  const { writes, reads } = databaseVcpus(input, load);
  return serverVcpus(input, load) + jobVcpus(input, load) + (separate ? 0 : writes + reads);
}
