const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 240;
const HEIGHT = 56;

/**
 * Adds a small chart with its newest values. Returns a function that draws the states of the given number of seconds.
 *
 * @param options `lines`: pairs of a field of `visitors` and its label
 */
export function chart(parent, { title, lines, digits, bad = false }) {
  const figure = document.createElement('div');
  figure.className = bad ? 'figure failing' : 'figure';
  const heading = document.createElement('h2');
  heading.textContent = title;
  const values = lines.map(([, label]) => {
    const value = document.createElement('span');
    value.className = 'value';
    const name = document.createElement('span');
    name.className = 'name';
    name.textContent = lines.length > 1 ? label : '';
    return { value, name };
  });
  const row = document.createElement('p');
  row.className = 'values';
  for (const { value, name } of values) {
    const reading = document.createElement('span');
    reading.className = 'reading';
    reading.append(name, value);
    row.append(reading);
  }
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  const paths = lines.map((_, index) => {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', `line line-${index + 1}`);
    svg.append(path);
    return path;
  });
  const top = document.createElement('p');
  top.className = 'top';
  figure.append(heading, row, svg, top);
  parent.append(figure);

  return (states, span) => {
    const measured = states.filter(({ visitors }) => visitors);
    const newest = states.at(-1)?.visitors;
    const highest = Math.max(...measured.flatMap(({ visitors }) => lines.map(([field]) => visitors[field])), 0);
    const end = states.at(-1)?.at ?? 0;
    const shown = Math.min(span, Math.max(30, end - (measured[0]?.at ?? end)));
    lines.forEach(([field], index) => {
      const points = measured.map(({ at, visitors }) => {
        const x = WIDTH * (1 - (end - at) / shown);
        return `${x.toFixed(1)},${(HEIGHT - 2 - (HEIGHT - 6) * (visitors[field] / Math.max(highest, 1))).toFixed(1)}`;
      });
      paths[index].setAttribute('d', points.length > 1 ? `M${points.join('L')}` : '');
      paths[index].classList.toggle('quiet', highest === 0);
      values[index].value.textContent = newest ? short(newest[field], digits) : '–';
      values[index].value.classList.toggle('bad', bad && (newest?.[field] ?? 0) > 0);
    });
    const summary = measured.length > 0 ? `max ${short(highest, digits)}` : 'no traffic';
    top.textContent = `last 2 minutes: ${summary}`;
    svg.setAttribute('aria-label', `${title} over the last 2 minutes: ${summary}`);
  };
}

export function short(value, digits = 0) {
  return value.toFixed(value >= 100 ? 0 : digits);
}
