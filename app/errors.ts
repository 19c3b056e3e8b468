/** An error response: HTTP status, a machine-readable code and a message for the visitor. */
export class ShopError extends Error {
  override readonly name: string = 'ShopError';

  constructor(
    readonly statusCode: number,
    readonly code: string,
    message: string,
    /** Seconds to wait before a retry; sent as `Retry-After`. */
    readonly retryAfter?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A dependency of the request is temporarily down or overloaded. Nothing was changed. */
export class Unavailable extends ShopError {
  override readonly name = 'Unavailable';

  constructor(message = 'The shop cannot answer this right now. Please try again.', options?: ErrorOptions) {
    super(503, 'unavailable', message, 1, options);
  }
}
