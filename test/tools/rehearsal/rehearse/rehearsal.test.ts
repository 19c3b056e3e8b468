import { finalStates } from '../../../../tools/rehearsal/rehearse/rehearsal';
import type { ServerSnapshot } from '../../../../tools/rehearsal/topology/snapshot';
import { servers, snapshot } from '../../../support/findings';

test('servers of an earlier phase, absent from the last snapshot, are terminated at the end', () => {
  const box: ServerSnapshot = { ...(servers()[0] as ServerSnapshot), name: 'box' };
  const last = snapshot(2);
  expect(finalStates([box, ...last.servers], last)).toEqual([{ ...box, state: 'terminated' }, ...last.servers]);
});
