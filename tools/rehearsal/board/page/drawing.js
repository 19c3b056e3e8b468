import { short } from './charts.js';
import { connect } from './lines.js';

const byId = (id) => document.getElementById(id);

const ZONES = ['a', 'b', 'c'];
const STATES = {
  starting: 'starting',
  'in-service': 'in service',
  'out-of-service': 'out of service',
  draining: 'draining',
  terminated: 'terminated',
};
const STORES = { redis: 'Redis', primary: 'PostgreSQL primary', queue: 'Queue' };

/** What somebody most likely wants to do next. */
const MAIN = ['next-phase', 'send-visitors'];

/** Draws the topology; `press(id, button)` is called for a button. */
export function draw(state, press) {
  const buttonsOf = (of) => state.buttons.filter((button) => button.of === of);
  const { visitors, servers, workers, phase } = state;
  const isFleet = phase >= 3;
  const inService = servers.filter(({ state: its }) => its === 'in-service').length;

  fill(byId('run'), buttonsOf('run'), press);
  byId('drawing').classList.toggle('wide', isFleet);

  const entry = [
    {
      key: 'visitors',
      title: 'Visitors',
      figures: [visitors ? `${short(visitors.rps)} requests/s` : 'none are sent from here'],
      buttons: buttonsOf('traffic'),
    },
    ...(state.edge === undefined ? [] : [{ key: 'edge', title: 'Edge cache', figures: [state.edge] }]),
    ...(state.balancer ? [{ key: 'balancer', title: 'Load balancer', figures: [healthy(inService)] }] : []),
  ];
  keep(byId('entry'), entry, card, (element, one) => part(element, one, press));

  byId('fleet').classList.toggle('grouped', isFleet);
  byId('fleet-title').textContent = phase >= 4 ? 'Auto Scaling group' : 'Servers';
  byId('fleet-state').textContent = `${inService} of ${state.desired} in service`;
  fill(byId('fleet-buttons'), isFleet ? buttonsOf('fleet') : [], press);

  // The box has its database on it.
  const stores = state.stores.map((store) => storeCard(store, buttonsOf(store.name)));
  const onBox = phase === 1 ? stores : [];
  const zones = isFleet ? ZONES : [...new Set(servers.map(({ zone }) => zone))];
  keep(
    byId('zones'),
    zones.map((zone) => ({ key: `zone-${zone}`, zone })),
    zonePanel,
    (element, { zone }) => {
      element.querySelector('h3').textContent = phase === 1 ? `One box, in zone ${zone}` : `Zone ${zone}`;
      const buttons = buttonsOf(isFleet ? `zone ${zone}` : 'fleet');
      fill(element.querySelector('.buttons'), buttons, press);
      const here = servers.filter((server) => server.zone === zone);
      const cards = [...here.map((server) => serverCard(server, buttonsOf(server.name))), ...onBox];
      keep(element.querySelector('.servers'), cards, card, (one, shown) => part(one, shown, press));
    },
  );
  const below = [...stores.filter((store) => !onBox.includes(store)), ...workers.map(workerCard)];
  keep(byId('stores'), below, card, (element, one) => part(element, one, press));
  connect(byId('drawing'), byId('lines'), state);
}

function part(element, { server, title, state, says, figures, buttons = [] }, press) {
  element.dataset.state = state ?? '';
  if (server) element.dataset.server = server;
  element.querySelector('h3').textContent = title;
  element.querySelector('.state').textContent = says ?? '';
  list(element, figures);
  fill(element.querySelector('.buttons'), buttons, press);
}

function serverCard({ name, state, rps, failed, latency, cpu }, buttons) {
  return {
    key: name,
    server: name,
    title: name,
    state,
    says: STATES[state],
    figures: [
      ...(rps === undefined ? [] : [`${short(rps)} requests/s`]),
      ...(failed > 0 ? [`${short(failed, 1)} failed/s`] : []),
      ...(latency === undefined ? [] : [`p50 ${short(latency.p50, 1)}, p99 ${short(latency.p99, 1)} ms`]),
      `${percent(cpu)} CPU`,
    ],
    buttons,
  };
}

function storeCard({ name, up, figures }, buttons) {
  return {
    key: name.replace(' ', '-'),
    title: STORES[name] ?? `PostgreSQL ${name}`,
    state: up ? 'in-service' : 'out-of-service',
    says: up ? 'up' : 'away',
    figures: up ? figures : [],
    buttons,
  };
}

function workerCard({ name, zone, state, cpu }) {
  return { key: name, title: name, state, says: STATES[state], figures: [`zone ${zone}`, `${percent(cpu)} CPU`] };
}

function card(key) {
  const element = made('article', 'card');
  element.dataset.part = key;
  const head = made('div', 'head');
  head.append(document.createElement('h3'), made('span', 'state'));
  element.append(head, document.createElement('ul'), made('div', 'buttons'));
  return element;
}

function zonePanel(key) {
  const element = made('div', 'zone');
  element.dataset.part = key;
  const head = made('div', 'zone-head');
  head.append(document.createElement('h3'), made('div', 'buttons'));
  element.append(head, made('div', 'servers'));
  return element;
}

function fill(element, buttons, press) {
  keep(
    element,
    buttons.map((button) => ({ key: button.id, ...button })),
    (id) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.classList.toggle('main', MAIN.includes(id));
      button.addEventListener('click', () => press(id, button));
      return button;
    },
    (button, { label, of, unavailable }) => {
      button.textContent = label;
      // Not `disabled`: it can still be reached, and says why.
      button.ariaDisabled = unavailable === undefined ? null : 'true';
      button.title = unavailable ?? '';
      // Several are called the same.
      if (!['traffic', 'fleet', 'run'].includes(of)) button.ariaLabel = `${label}: ${of}`;
    },
  );
}

function list(element, figures) {
  keep(
    element.querySelector('ul'),
    figures.map((text, index) => ({ key: String(index), text })),
    () => document.createElement('li'),
    (item, { text }) => {
      item.textContent = text;
      item.classList.toggle('bad', text.endsWith(' failed/s'));
    },
  );
}

/** Children by key: those that stay are changed and not made anew, so that a button keeps its focus. */
function keep(parent, wanted, make, change) {
  const there = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  for (const [index, one] of wanted.entries()) {
    let child = there.get(one.key);
    if (child === undefined) {
      child = make(one.key);
      child.dataset.key = one.key;
    }
    there.delete(one.key);
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
    change(child, one);
  }
  for (const child of there.values()) child.remove();
}

function made(tag, name) {
  const element = document.createElement(tag);
  element.className = name;
  return element;
}

function healthy(count) {
  return `${count} healthy ${count === 1 ? 'target' : 'targets'}`;
}

function percent(share) {
  return `${(share * 100).toFixed(0)}%`;
}
