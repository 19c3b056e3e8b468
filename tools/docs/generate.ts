import { phases } from '../../lib/phases/phases';
import { markdownTable } from '../support/table';
import { dollars, type PhaseBills } from './costs';

/** Generators of a page's sections, by the name in the markers `<!-- NAME -->` and `<!-- /NAME -->`. */
export type GeneratedSections = Readonly<Record<string, () => string>>;

export function readmeSections(bills: PhaseBills): GeneratedSections {
  return { phases: () => phasesTable(bills) };
}

/**
 * Returns the text with regenerated sections.
 *
 * @throws Error if the markers of a section are missing
 */
export function withGeneratedSections(text: string, sections: GeneratedSections): string {
  return Object.entries(sections).reduce((page, [name, generate]) => {
    const section = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
    if (!section.test(page)) throw new Error(`markers <!-- ${name} --> and <!-- /${name} --> are missing`);
    return page.replace(section, (_, open: string, close: string) => `${open}${generate()}\n${close}`);
  }, text);
}

/** First words of the paragraph in a doc comment that states the cost. */
const COST = 'Fixed cost: ';

/** Longest line of a doc comment. */
const WIDTH = 120;

/**
 * Returns the TypeScript source with a regenerated cost statement in its doc comment. Without a statement, the paragraph is removed.
 *
 * @throws Error if there is a statement and no paragraph for it
 */
export function withCostStatement(source: string, statement: string | undefined): string {
  const paragraph = new RegExp(`^ \\*\n \\* ${COST}.*\n( \\* .+\n)*`, 'm');
  if (statement === undefined) return source.replace(paragraph, '');
  if (!paragraph.test(source)) throw new Error(`a doc comment must have a paragraph "${COST}"`);
  return source.replace(paragraph, () => ` *\n${commentLines(COST + statement)}`);
}

function commentLines(text: string): string {
  const lines: string[] = [];
  // A code span stays on one line.
  for (const word of text.match(/(`[^`]*`|\S)+/g) ?? []) {
    const line = lines.at(-1);
    if (line !== undefined && ` * ${line} ${word}`.length <= WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => ` * ${line}\n`).join('');
}

function phasesTable(bills: PhaseBills): string {
  const rows = phases.map((phase) => {
    const name = phase.built ? `[\`${phase.className}\`](lib/phases/${phase.file})` : `\`${phase.className}\``;
    const id = phase.built ? `\`${phase.id}\`` : `\`${phase.id}\` (to come)`;
    const bill = bills.get(phase.number);
    return [id, name, phase.adds, phase.users, bill ? dollars(bill.fixedUsd) : '-', phase.breaksNext];
  });
  return markdownTable(['stack', 'class', 'what it adds', 'users', 'monthly cost', 'what breaks next'], rows);
}
