import { short } from './charts.js';
import { connect } from './lines.js';

const byId = (id) => document.getElementById(id);

const ZONES = ['a', 'b', 'c'];
const STATES = {
  starting: 'starting',
  'in-service': 'in service',
  'out-of-service': 'out of service',
  draining: 'draining',
  gone: 'gone',
};
const STORES = { redis: 'Redis', primary: 'PostgreSQL primary', queue: 'Queue' };

/** Draws the topology; `press(id, button)` is called for a button. */
export function draw(state, press) {
  const buttonsOf = (of) => state.buttons.filter((button) => button.of === of);
  const { visitors, servers, workers, stores } = state;
  const isFleet = state.phase >= 3;
  const inService = servers.filter(({ state: its }) => its === 'in-service').length;

  fill(byId('run'), buttonsOf('run'), press);

  const entry = [
    {
      key: 'visitors',
      title: 'Visitors',
      figures: [visitors ? `${short(visitors.rps)} requests/s` : 'none sent from here'],
      buttons: buttonsOf('traffic'),
    },
    ...(state.edge === undefined ? [] : [{ key: 'edge', title: 'Edge cache', figures: [state.edge] }]),
    ...(state.balancer ? [{ key: 'balancer', title: 'Load balancer', figures: [healthy(inService)] }] : []),
    ...(isFleet || buttonsOf('fleet').length > 0
      ? [
          {
            key: 'fleet',
            title: 'Servers',
            figures: [`${inService} of ${state.desired} in service`],
            buttons: buttonsOf('fleet'),
          },
        ]
      : []),
  ];
  keep(byId('entry'), entry, card, (element, one) => part(element, one, press));

  const zones = isFleet ? ZONES : [...new Set(servers.map(({ zone }) => zone))];
  keep(
    byId('zones'),
    zones.map((zone) => ({ key: `zone-${zone}`, zone })),
    zonePanel,
    (element, { zone }) => {
      element.querySelector('h3').textContent = `Zone ${zone}`;
      fill(element.querySelector('.buttons'), buttonsOf(`zone ${zone}`), press);
      const here = servers.filter((server) => server.zone === zone);
      const cards = here.map((server) => ({ key: server.name, server, buttons: buttonsOf(server.name) }));
      keep(element.querySelector('.servers'), cards, card, (one, shown) => serverCard(one, shown, press));
    },
  );

  const below = [
    ...stores.map((store) => ({
      key: store.name.replace(' ', '-'),
      title: STORES[store.name] ?? `PostgreSQL ${store.name}`,
      state: store.up ? 'in-service' : 'out-of-service',
      says: store.up ? 'up' : 'away',
      figures: store.up ? store.figures : [],
      buttons: buttonsOf(store.name),
    })),
    ...workers.map(({ name, zone, state: its, cpu }) => ({
      key: name,
      title: `${name}, zone ${zone}`,
      state: its,
      says: STATES[its],
      figures: [`${percent(cpu)} CPU`],
    })),
  ];
  keep(byId('stores'), below, card, (element, one) => part(element, one, press));
  connect(byId('drawing'), byId('lines'), state);
}

function part(element, { title, state, says, figures, buttons = [] }, press) {
  element.dataset.state = state ?? '';
  element.querySelector('h3').textContent = title;
  element.querySelector('.state').textContent = says ?? '';
  list(element, figures);
  fill(element.querySelector('.buttons'), buttons, press);
}

function serverCard(element, { server, buttons }, press) {
  const { name, state, rps, failed, latencyMs, cpu } = server;
  element.dataset.server = name;
  part(
    element,
    {
      title: name,
      state,
      says: STATES[state],
      figures: [
        ...(rps === undefined ? [] : [`${short(rps)} requests/s`]),
        ...(failed > 0 ? [`${short(failed)} failed/s`] : []),
        ...(latencyMs === undefined ? [] : [`${short(latencyMs, 1)} ms`]),
        `${percent(cpu)} CPU`,
      ],
      buttons,
    },
    press,
  );
}

function card(key) {
  const element = document.createElement('article');
  element.className = 'card';
  element.dataset.part = key;
  const head = document.createElement('div');
  head.className = 'head';
  const figures = document.createElement('ul');
  const buttons = document.createElement('div');
  buttons.className = 'buttons';
  head.append(document.createElement('h3'), made('span', 'state'));
  element.append(head, figures, buttons);
  return element;
}

function zonePanel(key) {
  const element = document.createElement('div');
  element.className = 'zone';
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
      button.addEventListener('click', () => press(id, button));
      return button;
    },
    (button, { label, of }) => {
      button.textContent = label;
      // Several are called the same.
      if (!['traffic', 'fleet', 'run'].includes(of)) button.setAttribute('aria-label', `${label}: ${of}`);
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
