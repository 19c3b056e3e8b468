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

/** Ids of the highlighted buttons. */
const MAIN = ['next-phase', 'send-visitors'];

/** Draws the topology. Calls `press(id, button)` on a click. */
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
      figures: [visitors ? `${short(visitors.rps)} requests/s` : 'no traffic'],
      buttons: buttonsOf('traffic'),
    },
    ...(state.edge === undefined ? [] : [{ key: 'edge', title: 'Edge cache', figures: [state.edge] }]),
    ...(state.balancer ? [{ key: 'balancer', title: 'Load balancer', figures: [healthy(inService)] }] : []),
  ];
  reconcile(byId('entry'), entry, card, (element, one) => part(element, one, press));

  byId('fleet').classList.toggle('grouped', isFleet);
  byId('fleet-title').textContent = phase >= 4 ? 'Auto Scaling group' : 'Servers';
  byId('fleet-state').textContent = `${inService} of ${state.desired} in service`;
  fill(byId('fleet-buttons'), isFleet ? buttonsOf('fleet') : [], press);

  // In phase 1 the database runs on the instance.
  const stores = state.stores.map((store) => storeCard(store, buttonsOf(store.name)));
  const onInstance = phase === 1 ? stores : [];
  const zones = isFleet ? ZONES : [...new Set(servers.map(({ zone }) => zone))];
  reconcile(
    byId('zones'),
    zones.map((zone) => ({ key: `zone-${zone}`, zone })),
    zonePanel,
    (element, { zone }) => {
      element.querySelector('h3').textContent = phase === 1 ? `Single instance, zone ${zone}` : `Zone ${zone}`;
      const buttons = buttonsOf(isFleet ? `zone ${zone}` : 'fleet');
      fill(element.querySelector('.buttons'), buttons, press);
      const here = servers.filter((server) => server.zone === zone);
      const cards = [...here.map((server) => serverCard(server, buttonsOf(server.name))), ...onInstance];
      reconcile(element.querySelector('.servers'), cards, card, (one, shown) => part(one, shown, press));
    },
  );
  const below = [...stores.filter((store) => !onInstance.includes(store)), ...workers.map(workerCard)];
  reconcile(byId('stores'), below, card, (element, one) => part(element, one, press));
  connect(byId('drawing'), byId('lines'), state);
}

function part(element, { server, title, state, status, figures, buttons = [] }, press) {
  element.dataset.state = state ?? '';
  if (server) element.dataset.server = server;
  element.querySelector('h3').textContent = title;
  element.querySelector('.state').textContent = status ?? '';
  list(element, figures);
  fill(element.querySelector('.buttons'), buttons, press);
}

function serverCard({ name, state, rps, failed, latency, cpu }, buttons) {
  return {
    key: name,
    server: name,
    title: name,
    state,
    status: STATES[state],
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
    status: up ? 'up' : 'down',
    figures: up ? figures : [],
    buttons,
  };
}

function workerCard({ name, zone, state, cpu }) {
  return { key: name, title: name, state, status: STATES[state], figures: [`zone ${zone}`, `${percent(cpu)} CPU`] };
}

function card(key) {
  const element = createElement('article', 'card');
  element.dataset.part = key;
  const head = createElement('div', 'head');
  head.append(document.createElement('h3'), createElement('span', 'state'));
  element.append(head, document.createElement('ul'), createElement('div', 'buttons'));
  return element;
}

function zonePanel(key) {
  const element = createElement('div', 'zone');
  element.dataset.part = key;
  const head = createElement('div', 'zone-head');
  head.append(document.createElement('h3'), createElement('div', 'buttons'));
  element.append(head, createElement('div', 'servers'));
  return element;
}

function fill(element, buttons, press) {
  reconcile(
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
      // `aria-disabled` instead of `disabled`: the button stays focusable and shows the reason.
      button.ariaDisabled = unavailable === undefined ? null : 'true';
      button.title = unavailable ?? '';
      // These labels occur more than once.
      if (!['traffic', 'fleet', 'run'].includes(of)) button.ariaLabel = `${label}: ${of}`;
    },
  );
}

function list(element, figures) {
  reconcile(
    element.querySelector('ul'),
    figures.map((text, index) => ({ key: String(index), text })),
    () => document.createElement('li'),
    (item, { text }) => {
      item.textContent = text;
      item.classList.toggle('bad', text.endsWith(' failed/s'));
    },
  );
}

/** Reconciles children by key. Reuses existing elements, so that a button keeps its focus. */
function reconcile(parent, items, create, update) {
  const existing = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  for (const [index, one] of items.entries()) {
    let child = existing.get(one.key);
    if (child === undefined) {
      child = create(one.key);
      child.dataset.key = one.key;
    }
    existing.delete(one.key);
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
    update(child, one);
  }
  for (const child of existing.values()) child.remove();
}

function createElement(tag, name) {
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
