import { atTheEnd } from '../../../../tools/rehearsal/rehearse/rehearsal';
import type { ServerSnapshot } from '../../../../tools/rehearsal/topology/snapshot';
import { servers, snapshot } from '../../../support/findings';

test('servers of an earlier phase, which nobody looks at any more, are gone at the end', () => {
  const box: ServerSnapshot = { ...(servers()[0] as ServerSnapshot), name: 'box' };
  const last = snapshot(2);
  expect(atTheEnd([box, ...last.servers], last)).toEqual([{ ...box, state: 'terminated' }, ...last.servers]);
});
