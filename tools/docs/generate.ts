import { phases } from '../../lib/phases/phases';
import { markdownTable } from '../support/table';

/** GeneratedSections of a page that are made from the code, by the name in their markers `<!-- NAME -->` and `<!-- /NAME -->`. */
export type GeneratedSections = Readonly<Record<string, () => string>>;

export const readmeSections: GeneratedSections = { phases: phasesTable };

/**
 * The text with its generated parts made anew.
 *
 * @throws when the markers of a part are missing
 */
export function withGeneratedSections(text: string, parts: GeneratedSections): string {
  return Object.entries(parts).reduce((done, [name, make]) => {
    const between = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
    if (!between.test(done)) throw new Error(`the markers <!-- ${name} --> and <!-- /${name} --> are missing`);
    return done.replace(between, (_, open: string, close: string) => `${open}${make()}\n${close}`);
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
