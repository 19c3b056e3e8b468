/** Values of a row as text, by column. Unchanged TOAST values are absent, because the WAL does not contain them. */
export type Row = Readonly<Record<string, string | null>>;

export interface Change {
  readonly kind: 'insert' | 'update' | 'delete';
  readonly table: string;
  /** The key before the change; present if the change modified it, and for `delete`. */
  readonly oldKey?: Row;
  /** The row after the change; absent for `delete`. */
  readonly row?: Row;
}

/** The changes of one transaction of the source. */
export interface Transaction {
  /** LSN of the end of its commit record. */
  readonly end: bigint;
  readonly changes: readonly Change[];
}

interface Relation {
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly inKey: boolean }[];
}

/**
 * Decodes messages of the logical decoding plugin `pgoutput`, protocol version 1: whole transactions in commit order.
 *
 * @see https://www.postgresql.org/docs/17/protocol-logicalrep-message-formats.html
 */
export function decode(messages: readonly Buffer[]): Transaction[] {
  const relations = new Map<number, Relation>();
  const transactions: Transaction[] = [];
  let changes: Change[] = [];
  for (const message of messages) {
    const reader = new Reader(message);
    const type = reader.letter();
    switch (type) {
      case 'B':
        changes = [];
        break;
      case 'C':
        reader.skip(1 + 8);
        transactions.push({ end: reader.int64(), changes });
        break;
      case 'R':
        relations.set(reader.int32(), reader.relation());
        break;
      case 'I':
      case 'U':
      case 'D':
        changes.push(change(type, relationOf(relations, reader), reader));
        break;
      // Origin and Type messages are not needed: values are text.
      case 'O':
      case 'Y':
        break;
      default:
        throw new Error(`unsupported pgoutput message "${type}"`);
    }
  }
  return transactions;
}

function relationOf(relations: ReadonlyMap<number, Relation>, reader: Reader): Relation {
  const relation = relations.get(reader.int32());
  if (relation === undefined) throw new Error('pgoutput sent a change before the Relation message of its table');
  return relation;
}

function change(type: 'I' | 'U' | 'D', relation: Relation, reader: Reader): Change {
  const { table } = relation;
  let marker = reader.letter();
  let oldKey: Row | undefined;
  if (marker === 'K' || marker === 'O') {
    oldKey = keyOf(relation, reader.row(relation));
    if (type === 'D') return { kind: 'delete', table, oldKey };
    marker = reader.letter();
  }
  const row = reader.row(relation);
  if (type === 'I') return { kind: 'insert', table, row };
  return { kind: 'update', table, row, ...(oldKey && { oldKey }) };
}

function keyOf({ columns }: Relation, row: Row): Row {
  return Object.fromEntries(columns.filter(({ inKey }) => inKey).map(({ name }) => [name, row[name] as string]));
}

class Reader {
  #at = 0;

  constructor(private readonly message: Buffer) {}

  skip(bytes: number): void {
    this.#at += bytes;
  }

  letter(): string {
    return String.fromCharCode(this.message.readUInt8(this.#at++));
  }

  int16(): number {
    this.#at += 2;
    return this.message.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.message.readInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.message.readBigUInt64BE(this.#at - 8);
  }

  relation(): Relation {
    const schema = this.#string();
    const table = this.#string();
    if (schema !== 'public')
      throw new Error(`pgoutput sent a change of ${schema}.${table}, which is not in the schema public`);
    // Replica identity; the flags of the columns contain the same.
    this.skip(1);
    const columns = Array.from({ length: this.int16() }, () => {
      const inKey = (this.message.readUInt8(this.#at++) & 1) === 1;
      const name = this.#string();
      // Type OID and modifier.
      this.skip(4 + 4);
      return { name, inKey };
    });
    return { table, columns };
  }

  row({ columns }: Relation): Row {
    const row: Record<string, string | null> = {};
    const count = this.int16();
    for (const { name } of columns.slice(0, count)) {
      const kind = this.letter();
      if (kind === 'n') row[name] = null;
      else if (kind === 't') row[name] = this.#text();
      else if (kind !== 'u') throw new Error(`unknown pgoutput value kind "${kind}"`);
    }
    return row;
  }

  #string(): string {
    const end = this.message.indexOf(0, this.#at);
    const text = this.message.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  #text(): string {
    const length = this.int32();
    this.#at += length;
    return this.message.toString('utf8', this.#at - length, this.#at);
  }
}
