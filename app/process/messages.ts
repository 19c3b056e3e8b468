/** Messages between the processes of one server. */
export type FromPrimary =
  /** The database is migrated; serve with a pool of this size. */
  { readonly type: 'prepared'; readonly poolSize: number } | { readonly type: 'stop' };

export type FromWorker =
  | { readonly type: 'listening' }
  | { readonly type: 'ready'; readonly port: number }
  /** The worker cannot start, and a retry would not help. `line` is the error message. */
  | { readonly type: 'refused'; readonly line: string };
