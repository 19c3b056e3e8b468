/** What the processes of one server tell each other. */
export type FromPrimary =
  /** The database is migrated; serve with that many connections. */
  { readonly type: 'prepared'; readonly poolSize: number } | { readonly type: 'stop' };

export type FromWorker =
  | { readonly type: 'listening' }
  | { readonly type: 'ready'; readonly port: number }
  /** It cannot start, and another attempt would not help; for people. */
  | { readonly type: 'refused'; readonly line: string };
