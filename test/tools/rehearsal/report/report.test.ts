import { charts, marksOf } from '../../../../tools/rehearsal/report/charts';
import { html } from '../../../../tools/rehearsal/report/html';
import { screen } from '../../../../tools/rehearsal/report/live';
import { summary } from '../../../../tools/rehearsal/report/summary';
import { report, second, traffic } from '../../../support/findings';

/** What people read of a rehearsal. */
test('the page stands alone, and nothing that a server says becomes markup', () => {
  const page = html(report({ events: [{ at: 3, what: 'killed <server-1>' }], notes: ['no "quotas" & no limits'] }));
  expect(page).toContain('<h1>Rehearsal of phase 3, 5 servers, 100 requests/s for 30 s</h1>');
  expect(page).toContain('killed &#60;server-1&#62;');
  expect(page).toContain('no &#34;quotas&#34; &#38; no limits');
  expect(page).not.toMatch(/<script|(?:src|href)="|@import|url\((?!#)/);
  expect(page).toContain('Passed: all 12 targets met');
});

test('a missed figure is told on the page and in the terminal', () => {
  const bad = report({
    traffic: traffic({ counts: { ok: 2999, refused: 0, failed: 1, wrong: 0 }, failures: { 503: 1 } }),
  });
  expect(html(bad)).toContain('Missed: 1 of 12 targets: failed requests');
  expect(summary(bad)).toMatch(/failed requests +1 of 3000 +0 +✗ missed/);
  expect(summary(bad)).toContain('3000 requests, 2999 answered, 1 not (503: 1).');
});

test('a run that is not judged says why, on the page and in the terminal', () => {
  const late = report({
    seconds: Array.from({ length: 30 }, (_, index) => second(index + 1, { lateMs: 300, busy: 1 })),
  });
  const why = 'Not judged: this machine carries 60 requests/s; try --rps 60';
  expect(html(late)).toContain(`<p class="verdict unjudged">${why}</p>`);
  expect(html(late)).toContain('<td>– not judged: the load generator was late</td>');
  expect(summary(late)).toMatch(/failed requests +0 of 3000 +0 +– not judged: the load generator was late/);
  expect(summary(late).split('\n').at(-1)).toBe(why);
});

test('a second in which the generator is late is marked on the live view', () => {
  const lines = (lateMs: number) =>
    screen({ heading: '', total: 3, seconds: [second(1, { lateMs })], events: [], width: 120, height: 24 });
  expect(lines(300).join()).toContain('load generator late');
  expect(lines(1).join()).not.toContain('load generator late');
});

test('there is a chart for what the phase has, and none for what it has not', () => {
  const titles = (...seconds: Parameters<typeof second>[1][]) =>
    charts(report({ seconds: seconds.map((changes, index) => second(index + 1, changes)) })).map(({ title }) => title);
  const usual = [
    'Requests that ended, a second',
    'Latency, from the moment a request was due',
    'Servers',
    'Where statements went',
    'Connections',
    'Answers from caches',
  ];
  expect(titles({}, {})).toEqual(usual);
  const failing = { counts: { ok: 9, refused: 1, failed: 0, wrong: 0 }, jobs: 3 };
  expect(titles({}, failing)).toHaveLength(usual.length + 2);
});

test('an overload without refusals says what became of it, and of servers that health checks took out', () => {
  const collapse = (inService: number) => {
    const { scenario } = report();
    const overloaded = { ...scenario, overload: true, shedding: false } as const;
    return summary(report({ scenario: overloaded, seconds: [second(1), second(2, { inService })] }));
  };
  expect(collapse(3)).toContain('up to 2 servers were taken out at a time');
  expect(collapse(5)).toContain('many answers came too late to be of use. Without `--no-shedding`');
});

test('the title says what is not as usual', () => {
  const { scenario } = report();
  const unusual = { ...scenario, vcpu: 0.5, sessions: 'cookie', balance: 'leastconn', layer: 4, cache: false } as const;
  expect(html(report({ scenario: unusual }))).toContain(
    '<h1>Rehearsal of phase 3, 5 servers of 0.5 vCPU, sessions in a cookie, least connections, layer 4, no cache, 100 requests/s for 30 s</h1>',
  );
});

test('a ramp shows latency by load as well', () => {
  const { scenario } = report();
  const ramp = report({ scenario: { ...scenario, load: { ...scenario.load, profile: 'ramp' } } });
  expect(charts(ramp).at(-1)).toMatchObject({ title: 'Latency by load', svg: expect.stringContaining('>p99<') });
});

test('each chart is an SVG document with its lines and the marks of events', () => {
  const [first] = charts(report({ events: [{ at: 10, what: 'killed server-1' }] }));
  expect(first?.svg).toMatch(/^<svg .*<\/svg>$/s);
  expect(first?.svg).toContain('>within a second<');
  expect(first?.svg).toContain('<title>Requests that ended, a second</title>');
  // HTML knows no CDATA.
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
])('the live view of %i columns and %i rows never scrolls', (width, height) => {
  const seconds = Array.from({ length: 300 }, (_, index) => second(index, { rps: index }));
  const events = Array.from({ length: 100 }, (_, at) => ({
    at,
    what: `something that is long to tell: ${'x'.repeat(80)}`,
  }));
  const lines = screen({ heading: 'Rehearsal', total: 300, seconds, events, width, height });
  expect(lines.length).toBeLessThan(height);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
  if (height > 20) expect(lines.at(-1)).toContain('99.0 s');
});

test('the live view shows a rising rate as rising bars, with the newest value beside', () => {
  const seconds = [0, 50, 100].map((rps, at) => second(at, { rps }));
  const lines = screen({ heading: '', total: 3, seconds, events: [], width: 80, height: 24 });
  expect(lines.find((line) => line.startsWith('requests/s'))).toMatch(/^requests\/s +▄█ +100$/);
});
