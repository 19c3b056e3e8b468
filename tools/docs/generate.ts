import { phases } from '../../lib/phases/phases';
import { markdownTable } from '../support/table';

/** Generators of a page's sections, by the name in the markers `<!-- NAME -->` and `<!-- /NAME -->`. */
export type GeneratedSections = Readonly<Record<string, () => string>>;

export const readmeSections: GeneratedSections = { phases: phasesTable };

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

function phasesTable(): string {
  const rows = phases.map((phase) => {
    const name = phase.built ? `[\`${phase.className}\`](lib/phases/${phase.file})` : `\`${phase.className}\``;
    const id = phase.built ? `\`${phase.id}\`` : `\`${phase.id}\` (to come)`;
    return [id, name, phase.adds, phase.users, phase.breaksNext];
  });
  return markdownTable(['stack', 'class', 'what it adds', 'users', 'what breaks next'], rows);
}
