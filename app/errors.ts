/** An answer other than success that the shop means to give: status, a code for programs and a sentence for people. */
export class ShopError extends Error {
  override readonly name: string = 'ShopError';

  constructor(
    readonly statusCode: number,
    readonly code: string,
    message: string,
    /** Seconds after which trying again makes sense; sent as `Retry-After`. */
    readonly retryAfter?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Something that the answer needs is away or overloaded for now; nothing was changed. */
export class Unavailable extends ShopError {
  override readonly name = 'Unavailable';

  constructor(message = 'The shop cannot answer this right now. Please try again.', options?: ErrorOptions) {
    super(503, 'unavailable', message, 1, options);
  }
}
