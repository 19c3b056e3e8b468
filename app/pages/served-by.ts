import { html } from 'ghtml';
import type { Served } from '../types';

const PHASES = [1, 2, 3, 4, 5];

/** The strip that shows which part of the system served this page. */
export function servedBy({ server, az, phase, sessionStore, cache, version, pid }: Served): string {
  const ladder = PHASES.map((step) => html`<span class="${step <= phase ? 'step reached' : 'step'}"></span>`);
  return html`<section class="served" aria-label="Served by"><dl>
    <div><dt>Served by</dt><dd>${server} <span class="pid">process ${pid}</span></dd></div>
    <div><dt>Zone</dt><dd>${az}</dd></div>
    <div><dt>Phase</dt><dd>${phase} of ${PHASES.length} <span class="ladder" aria-hidden="true">!${ladder}</span></dd></div>
    <div><dt>Session store</dt><dd>${sessionStore}</dd></div>
    !${cache === undefined ? '' : html`<div><dt>Catalog</dt><dd class="${cache}">cache ${cache}</dd></div>`}
    <div><dt>Version</dt><dd>${version}</dd></div>
  </dl></section>`;
}
