/** Maximum quantity of one product in a cart; also a CHECK constraint of the table `cart_items`. */
export const MAX_QUANTITY = 99;

/** Maximum length of an idempotency key. */
export const MAX_IDEMPOTENCY_KEY = 255;
