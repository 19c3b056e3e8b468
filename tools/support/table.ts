import Table from 'cli-table3';

const NONE = '';
const ROW = { top: NONE, 'top-mid': NONE, 'top-left': NONE, 'top-right': NONE } as const;
const FOOT = { bottom: NONE, 'bottom-mid': NONE, 'bottom-left': NONE, 'bottom-right': NONE } as const;

/**
 * Formats a plain-text table: aligned columns, a rule below the header, no colors, so that it is readable in logs. Cells may have
 * several lines.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((text, i) =>
    Math.max(text.length, ...rows.flatMap((row) => (row[i] ?? '').split('\n')).map((line) => line.length)),
  );
  const out = new Table({
    chars: {
      ...ROW,
      ...FOOT,
      left: NONE,
      right: NONE,
      mid: NONE,
      'left-mid': NONE,
      'mid-mid': NONE,
      'right-mid': NONE,
      middle: '  ',
    },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  out.push(
    [...head],
    widths.map((width) => '─'.repeat(width)),
    ...rows.map((row) => [...row]),
  );
  return out
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Formats a Markdown table. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
