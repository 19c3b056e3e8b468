const SVG = 'http://www.w3.org/2000/svg';

/** Draws the request paths between the cards. A higher rate moves the dashes faster. */
export function connect(drawing, svg, state) {
  const origin = drawing.getBoundingClientRect();
  svg.setAttribute('viewBox', `0 0 ${origin.width} ${origin.height}`);
  const place = (selector) => {
    const box = drawing.querySelector(selector)?.getBoundingClientRect();
    return box && { left: box.left - origin.left, top: box.top - origin.top, width: box.width, height: box.height };
  };
  const chain = ['visitors', 'edge', 'balancer'].map((name) => place(`[data-part="${name}"]`)).filter(Boolean);
  const rps = state.visitors?.rps ?? 0;
  const paths = [];
  for (const [index, to] of chain.entries()) {
    if (index > 0) paths.push({ key: `entry-${index}`, d: across(chain[index - 1], to), rate: rps, alive: true });
  }
  const fleet = place('.fleet');
  for (const { dataset } of drawing.querySelectorAll('.zone')) {
    const here = state.servers.filter((server) => `zone-${server.zone}` === dataset.part);
    const rate = here.reduce((sum, server) => sum + (server.rps ?? 0), 0);
    // A zone without servers is empty, not failed.
    const alive = here.length === 0 || here.some(({ state: its }) => its !== 'out-of-service' && its !== 'terminated');
    const zone = place(`[data-part="${dataset.part}"]`);
    paths.push({ key: dataset.part, d: down(chain.at(-1), { ...zone, top: fleet.top }), rate, alive });
  }
  const stores = state.stores.map(({ name, up }) => ({
    name,
    up,
    to: place(`#stores [data-part="${name.replace(' ', '-')}"]`),
  }));
  const top = stores[0]?.to?.top;
  for (const { name, up, to } of stores) {
    // The first row of stores would hide lines to the second.
    if (to && to.top === top) paths.push({ key: name, d: down(fleet, to), rate: 0, alive: up, thin: true });
  }
  draw(svg, paths);
}

function draw(svg, paths) {
  const existing = new Map([...svg.children].map((path) => [path.dataset.key, path]));
  for (const { key, d, rate, alive, thin } of paths) {
    let path = existing.get(key);
    if (path === undefined) {
      path = document.createElementNS(SVG, 'path');
      path.dataset.key = key;
      svg.append(path);
    }
    existing.delete(key);
    path.setAttribute('d', d);
    const look = !alive ? 'dead' : rate >= 1 ? 'flowing' : thin ? 'thin' : '';
    path.setAttribute('class', `way ${look}`);
    // Setting the duration restarts the animation, so only set it when it changes.
    const duration = `${dashSeconds(rate)}s`;
    if (path.style.animationDuration !== duration) path.style.animationDuration = duration;
  }
  for (const path of existing.values()) path.remove();
}

/** Returns the seconds in which a dash moves to the next, in steps. */
function dashSeconds(rate) {
  return [5, 20, 80, 320].filter((step) => rate < step).length * 0.35 + 0.25;
}

/** Connects the right edge of a card to the left edge of the next, or draws downward if the cards are stacked. */
function across(from, to) {
  if (to.top >= from.top + from.height) return down(from, to);
  const y = from.top + Math.min(from.height, to.height) / 2;
  return `M${from.left + from.width},${y}L${to.left},${y}`;
}

function down(from, to) {
  const [x1, y1] = [from.left + from.width / 2, from.top + from.height];
  const [x2, y2] = [to.left + to.width / 2, to.top];
  const middle = (y1 + y2) / 2;
  return `M${x1},${y1}C${x1},${middle} ${x2},${middle} ${x2},${y2}`;
}
