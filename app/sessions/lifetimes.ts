export const SESSION_COOKIE = 'sid';

/**
 * Seconds that a session lives, counted from log-in or from the first product in the cart. It is not prolonged: that
 * would cost a write for each page that is read, and a session that never ends can be stolen for ever.
 */
export const SESSION_LIFETIME = 14 * 24 * 3600;

/** Seconds that a session lives in a cookie. Shorter, as nobody can end it before its time. */
export const COOKIE_SESSION_LIFETIME = 24 * 3600;
