import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..');

/** Phrases that a native reader stumbles over, and identifiers that were renamed. Whole words, any case. */
const banned: readonly string[] = [
  'anew',
  'whoever',
  'whichever',
  'for ever',
  'all the same',
  'in no time',
  'so many seconds',
  'is told',
  'are told',
  'is asked',
  'are asked',
  'asked for by',
  'somebody',
  'nobody',
  'shelves',
  'dearer',
  'sent home',
  'by itself',
  'of its own',
  'what is more',
  'there and then',
  'to be there',
  'comes by',
  'is away',
  'goes on',
  'letSend',
  'letWork',
  'foresee',
  'visitorsSuffer',
  'silenceIsTrouble',
];

/** Pathspecs of git. The other pages of `docs/` and the paths that begin with `:!` are not reworded yet. */
const scanned = [
  '.ci',
  '.dependency-cruiser.cjs',
  'app',
  ':!app/host',
  'bin',
  'lib',
  'tools',
  'test',
  'docs/commands.md',
  'docs/your-express-app.md',
  'docs/decisions',
  'docs/deploy.md',
  'docs/rehearsals/README.md',
  'docs/rehearsals/game-day.yaml',
  'README.md',
  'CONTRIBUTING.md',
];

/** Files that quote a banned phrase: this list, and data that other projects or services word. */
const allowed: readonly string[] = ['test/words.test.ts'];

/** Phrases by file: error messages of `app/host/*.sh`, which the test asserts and which are not reworded yet. */
const allowedPhrases: Readonly<Record<string, readonly string[]>> = { 'test/app/host.test.ts': ['goes on'] };

const pattern = new RegExp(`\\b(${banned.map((phrase) => phrase.replaceAll(' ', '\\s+')).join('|')})\\b`, 'gi');

/** Phrases found, as `phrase (line N)`; a phrase may be broken by the end of a line and the marks of a comment. */
function bannedIn(text: string): string[] {
  const joined = text.replaceAll(/\n\s*(\*|\/\/|#)? ?/g, (breakOfLine) => breakOfLine.replaceAll(/[*/#]/g, ' '));
  return [...joined.matchAll(pattern)].map(
    ({ 0: phrase, index }) => `${phrase.replaceAll(/\s+/g, ' ')} (line ${text.slice(0, index).split('\n').length})`,
  );
}

test('no banned phrase in code, tests, decisions and the reworded pages', () => {
  const files = execFileSync('git', ['ls-files', '--', ...scanned], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter((file) => /^\.ci\/|\.(ts|js|cjs|mjs|sh|py|md|css|html|yaml)$/.test(file))
    .filter((file) => !allowed.includes(file));
  expect(files.length).toBeGreaterThan(100);
  expect(files).toEqual(
    expect.arrayContaining(['.ci/run', 'app/move.ts', 'docs/commands.md', 'tools/rehearsal/board/page/board.html']),
  );
  const found = files.flatMap((file) =>
    bannedIn(readFileSync(join(ROOT, file), 'utf8'))
      .filter((one) => !allowedPhrases[file]?.some((phrase) => one.startsWith(`${phrase} (`)))
      .map((one) => `${file}: ${one}`),
  );
  expect(found).toEqual([]);
});

test.each([
  ['Nobody answers.', ['Nobody (line 1)']],
  [' * the server is\n * told to stop', ['is told (line 1)']],
  ['queue.letSend(role)', ['letSend (line 1)']],
  ['the item is a told story', []],
])('%j is checked', (text, found) => {
  expect(bannedIn(text)).toEqual(found);
});
