import { chart } from './charts.js';
import { draw } from './drawing.js';

const token = document.querySelector('meta[name="board-token"]').content;
const byId = (id) => document.getElementById(id);

const SHOWN_SECONDS = 120;
const SHOWN_EVENTS = 100;

const charts = [
  chart(byId('figures'), { title: 'Requests/s', lines: [['rps', 'requests/s']], digits: 0 }),
  chart(byId('figures'), {
    title: 'Latency, ms',
    lines: [
      ['p50', 'p50'],
      ['p99', 'p99'],
    ],
    digits: 1,
  }),
  chart(byId('figures'), { title: 'Not answered/s', lines: [['failed', 'not answered/s']], digits: 0, bad: true }),
];
const promises = promiseFigure();
let seconds = [];

listen();

function listen() {
  const stream = new EventSource('/stream');
  stream.addEventListener('begin', () => {
    seconds = [];
    byId('events').replaceChildren();
    notice('');
  });
  stream.addEventListener('message', ({ data }) => {
    const told = JSON.parse(data);
    if (told.kind === 'state') show(told.state);
    if (told.kind === 'event') note(told.event);
    if (told.kind === 'over') {
      stream.close();
      notice(told.what);
      for (const button of document.querySelectorAll('button')) button.disabled = true;
    }
  });
  stream.addEventListener('error', () => {
    notice('No connection to the board. It is tried again; where its command has ended, nothing comes any more.');
  });
}

function show(state) {
  seconds = [...seconds, state].filter(({ at }) => at > state.at - SHOWN_SECONDS);
  const { phase, becoming } = state;
  byId('phase').textContent = becoming ? `Phase ${phase}; ${becoming} is being made` : `Phase ${phase}`;
  byId('clock').textContent = clock(state.at);
  draw(state, press);
  for (const one of charts) one(seconds, SHOWN_SECONDS);
  promises(state.visitors);
}

function note({ at, what }) {
  const time = document.createElement('time');
  time.textContent = clock(at);
  const text = document.createElement('span');
  text.textContent = what;
  const item = document.createElement('li');
  item.append(time, text);
  const list = byId('events');
  list.prepend(item);
  while (list.childElementCount > SHOWN_EVENTS) list.lastElementChild.remove();
}

async function press(id, button) {
  if (button.ariaBusy === 'true') return;
  if (button.ariaDisabled === 'true') return notice(`${button.textContent}: ${button.title}`);
  button.ariaBusy = 'true';
  try {
    const response = await fetch(`/offers/${id}`, { method: 'POST', headers: { 'x-board-token': token } });
    notice(response.ok ? '' : (await response.json()).error);
  } catch {
    notice('The board did not answer.');
  } finally {
    button.ariaBusy = null;
  }
}

function notice(text) {
  byId('notice').textContent = text;
  byId('notice').hidden = text === '';
}

/** The figure that all of this is about. */
function promiseFigure() {
  const figure = document.createElement('div');
  figure.className = 'figure promise';
  const title = document.createElement('h2');
  title.textContent = 'Acknowledged and not found again';
  const value = document.createElement('p');
  value.className = 'value';
  const of = document.createElement('p');
  of.className = 'of';
  figure.append(title, value, of);
  byId('figures').append(figure);
  return (visitors) => {
    value.textContent = visitors ? visitors.missed : '–';
    value.classList.toggle('bad', (visitors?.missed ?? 0) > 0);
    of.textContent = visitors
      ? `of ${visitors.acknowledged} cart items, orders and log-ins`
      : 'No visitors are sent. The shop is open.';
  };
}

function clock(at) {
  const second = Math.floor(at);
  return `${Math.floor(second / 60)}:${String(second % 60).padStart(2, '0')}`;
}
