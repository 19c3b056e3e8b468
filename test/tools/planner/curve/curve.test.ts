import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { costCurve, usualInput } from '../../../../tools/planner/commands/curve-command';
import { curvesFor, MARKED_RATES, seedLadder } from '../../../../tools/planner/curve/curve';
import { readPriceTable } from '../../../../tools/planner/prices/table';

const prices = readPriceTable('us-east-1');
const curves = curvesFor(usualInput(), prices);
const usd = (points: readonly { usd: number | undefined }[]) => points.map((point) => point.usd);

test('the picture in docs is the output of npm run curve', () => {
  const picture = readFileSync(join(__dirname, '../../../../docs/pictures/cost-curve.svg'), 'utf8');
  expect(costCurve(prices)).toBe(picture);
});

test('one instance is cheaper at low rates, contention never helps, and no instance carries a million requests/s', () => {
  const [vertical, contended, horizontal] = [curves.vertical, curves.contended, curves.horizontal].map(usd);
  expect(vertical?.at(-1)).toBeUndefined();
  expect(horizontal?.every((value) => value !== undefined)).toBe(true);
  for (const [at, rps] of MARKED_RATES.entries()) {
    if (contended?.[at] !== undefined) expect(contended[at]).toBeGreaterThanOrEqual(vertical?.[at] as number);
    if (rps <= 10_000) expect(vertical?.[at]).toBeLessThan(horizontal?.[at] as number);
  }
});

test('doubling the traffic about doubles the cost of many servers', () => {
  const [half, full] = usd(curvesFor(usualInput(), prices, [500_000, 1_000_000]).horizontal) as [number, number];
  expect(full / half).toBeGreaterThan(1.9);
  expect(full / half).toBeLessThan(2.1);
});

test('vertical scaling ends at the maximum of any instance', () => {
  const { vertical, contended } = curves.ends;
  expect(vertical.vcpus).toBe(448);
  expect(contended.rps).toBeLessThan(vertical.rps);
  const beyond = curvesFor(usualInput(), prices, [vertical.rps * 1.001]);
  expect(usd(beyond.vertical)).toEqual([undefined]);
  expect(usd(curvesFor(usualInput(), prices, [vertical.rps * 0.999]).vertical)).toEqual([vertical.usd]);
});

test('the vertical ladder has initial estimates and current prices', () => {
  const { 'x2idn.24xlarge': big, 't3.large': small } = Object.fromEntries(
    seedLadder(prices).map((one) => [one.type, one]),
  );
  expect(small).toMatchObject({ seedUsd: 60, vcpus: 2 });
  expect(small?.usd).toBeCloseTo(60.74, 2);
  expect(big?.seedUsd).toBe(14_000);
  expect(big?.usd).toBeCloseTo(7302.555, 2);
});
