import { chart } from './charts.js';
import { draw } from './drawing.js';

const token = document.querySelector('meta[name="board-token"]').content;
const byId = (id) => document.getElementById(id);

const SHOWN_SECONDS = 120;
const SHOWN_EVENTS = 100;

const charts = [
  chart(byId('figures'), { title: 'Completed requests/s', lines: [['rps', 'requests/s']], digits: 0 }),
  chart(byId('figures'), {
    title: 'Latency, ms',
    lines: [
      ['p50', 'p50'],
      ['p99', 'p99'],
    ],
    digits: 1,
  }),
  chart(byId('figures'), {
    title: 'Failed requests/s',
    lines: [['failed', 'failed requests/s']],
    digits: 0,
    bad: true,
  }),
];
const updateLost = lostFigure();
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
    const message = JSON.parse(data);
    if (message.kind === 'state') show(message.state);
    if (message.kind === 'event') logEvent(message.event);
    if (message.kind === 'ended') {
      stream.close();
      notice(message.what);
      for (const button of document.querySelectorAll('button')) button.disabled = true;
    }
  });
  stream.addEventListener('error', () => {
    notice('Connection to the board lost. Reconnecting. If the command has ended, start it again.');
  });
}

function show(state) {
  seconds = [...seconds, state].filter(({ at }) => at > state.at - SHOWN_SECONDS);
  const { phase, becoming } = state;
  byId('phase').textContent = becoming ? `Phase ${phase}, deploying phase ${becoming}` : `Phase ${phase}`;
  byId('clock').textContent = clock(state.at);
  draw(state, press);
  for (const one of charts) one(seconds, SHOWN_SECONDS);
  updateLost(state.visitors);
}

function logEvent({ at, what }) {
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
    notice('No response from the board.');
  } finally {
    button.ariaBusy = null;
  }
}

function notice(text) {
  byId('notice').textContent = text;
  byId('notice').hidden = text === '';
}

/** Counts confirmed writes that were lost. */
function lostFigure() {
  const figure = document.createElement('div');
  figure.className = 'figure lost';
  const title = document.createElement('h2');
  title.textContent = 'Confirmed but lost';
  const value = document.createElement('p');
  value.className = 'value';
  const of = document.createElement('p');
  of.className = 'of';
  figure.append(title, value, of);
  byId('figures').append(figure);
  return (visitors) => {
    value.textContent = visitors ? visitors.missed : '–';
    value.classList.toggle('bad', (visitors?.missed ?? 0) > 0);
    of.textContent = visitors ? `of ${visitors.acknowledged} cart items, orders and logins` : 'No traffic.';
  };
}

function clock(at) {
  const second = Math.floor(at);
  return `${Math.floor(second / 60)}:${String(second % 60).padStart(2, '0')}`;
}
