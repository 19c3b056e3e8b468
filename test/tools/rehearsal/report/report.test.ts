import { charts, marksOf } from '../../../../tools/rehearsal/report/charts';
import { html } from '../../../../tools/rehearsal/report/html';
import { screen } from '../../../../tools/rehearsal/report/live';
import { summary } from '../../../../tools/rehearsal/report/summary';
import { report, second, traffic } from '../../../support/findings';

/** The report as page and text, and the live view. */
test('the page loads nothing else, and escapes all text', () => {
  const page = html(report({ events: [{ at: 3, what: 'killed <server-1>' }], notes: ['no "quotas" & no limits'] }));
  expect(page).toContain('<h1>Rehearsal of phase 3, 5 servers, 100 requests/s for 30 s</h1>');
  expect(page).toContain('killed &#60;server-1&#62;');
  expect(page).toContain('no &#34;quotas&#34; &#38; no limits');
  expect(page).not.toMatch(/<script|(?:src|href)="|@import|url\((?!#)/);
  expect(page).toContain('Passed: all 12 targets met');
});

test('a missed target is on the page and in the terminal', () => {
  const bad = report({
    traffic: traffic({ counts: { ok: 2999, refused: 0, failed: 1, wrong: 0 }, failures: { 503: 1 } }),
  });
  expect(html(bad)).toContain('Failed: 1 of 12 targets missed: failed requests');
  expect(summary(bad)).toContain('\n  ✗ failed requests: 1 of 3000 (required: 0), missed\n');
  expect(summary(bad)).toContain('3000 requests, 2999 succeeded, 1 failed (503: 1).');
});

test('a run that is not judged gives the reason on the page and in the terminal', () => {
  const late = report({
    seconds: Array.from({ length: 30 }, (_, index) => second(index + 1, { lateMs: 300, busy: 1 })),
  });
  const why = 'Not judged: this machine carries 60 requests/s; try --rps 60';
  expect(html(late)).toContain(`<p class="verdict unjudged">${why}</p>`);
  expect(html(late)).toContain('<td>– not judged: the load generator was late</td>');
  expect(summary(late)).toContain(
    '\n  – failed requests: 0 of 3000 (required: 0), not judged: the load generator was late\n',
  );
  expect(summary(late).split('\n').at(-1)).toBe(why);
});

test('a second in which the generator is late is marked on the live view', () => {
  const lines = (lateMs: number) =>
    screen({ heading: '', total: 3, seconds: [second(1, { lateMs })], events: [], width: 120, height: 24 });
  expect(lines(300).join()).toContain('load generator late');
  expect(lines(1).join()).not.toContain('load generator late');
});

test('charts without data are omitted', () => {
  const titles = (...seconds: Parameters<typeof second>[1][]) =>
    charts(report({ seconds: seconds.map((changes, index) => second(index + 1, changes)) })).map(({ title }) => title);
  const usual = [
    'Completed requests per second',
    'Latency from the time a request was due',
    'Servers',
    'SQL statements per second',
    'Connections',
    'Cache hit ratio',
  ];
  expect(titles({}, {})).toEqual(usual);
  const failing = { counts: { ok: 9, refused: 1, failed: 0, wrong: 0 }, jobs: 3 };
  expect(titles({}, failing)).toHaveLength(usual.length + 2);
});

test('an overload without load shedding explains the collapse and the failed health checks', () => {
  const collapse = (inService: number) => {
    const { scenario } = report();
    const overloaded = { ...scenario, overload: true, shedding: false } as const;
    return summary(report({ scenario: overloaded, seconds: [second(1), second(2, { inService })] }));
  };
  expect(collapse(3)).toContain('up to 2 servers were out of service at a time');
  expect(collapse(5)).toContain('many responses arrived after visitors had given up. Without `--no-shedding`');
});

test('the title names settings that differ from the defaults', () => {
  const { scenario } = report();
  const custom = { ...scenario, vcpu: 0.5, sessions: 'cookie', balance: 'leastconn', layer: 4, cache: false } as const;
  expect(html(report({ scenario: custom }))).toContain(
    '<h1>Rehearsal of phase 3, 5 servers of 0.5 vCPU, sessions in a cookie, least connections, layer 4, no cache, 100 requests/s for 30 s</h1>',
  );
});

test('a ramp has a chart of latency by load', () => {
  const { scenario } = report();
  const ramp = report({ scenario: { ...scenario, load: { ...scenario.load, profile: 'ramp' } } });
  expect(charts(ramp).at(-1)).toMatchObject({ title: 'Latency by load', svg: expect.stringContaining('>p99<') });
});

test('each chart is an SVG document with lines and event marks', () => {
  const [first] = charts(report({ events: [{ at: 10, what: 'killed server-1' }] }));
  expect(first?.svg).toMatch(/^<svg .*<\/svg>$/s);
  expect(first?.svg).toContain('>within 1 s<');
  expect(first?.svg).toContain('<title>Completed requests per second</title>');
  // HTML does not support CDATA.
  expect(first?.svg).not.toContain('<style');
  expect(first?.svg).toContain('>1<');
});

test('events that are close together share a mark', () => {
  const events = [2, 20, 20.1, 20.4, 40].map((at) => ({ at, what: '' }));
  expect(marksOf(events, 60)).toEqual([
    { name: '1', at: 2 },
    { name: '2-4', at: 20 },
    { name: '5', at: 40 },
  ]);
});

test.each([
  [80, 24],
  [200, 50],
  [40, 12],
])('the live view fits %i columns and %i rows', (width, height) => {
  const seconds = Array.from({ length: 300 }, (_, index) => second(index, { rps: index }));
  const events = Array.from({ length: 100 }, (_, at) => ({
    at,
    what: `a long event: ${'x'.repeat(80)}`,
  }));
  const lines = screen({ heading: 'Rehearsal', total: 300, seconds, events, width, height });
  expect(lines.length).toBeLessThan(height);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
  if (height > 20) expect(lines.at(-1)).toContain('99.0 s');
});

test('the live view shows a rising rate as rising bars, followed by the current value', () => {
  const seconds = [0, 50, 100].map((rps, at) => second(at, { rps }));
  const lines = screen({ heading: '', total: 3, seconds, events: [], width: 80, height: 24 });
  expect(lines.find((line) => line.startsWith('requests/s'))).toMatch(/^requests\/s +▄█ +100$/);
});
