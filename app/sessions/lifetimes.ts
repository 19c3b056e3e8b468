export const SESSION_COOKIE = 'sid';

/**
 * Lifetime of a session in seconds, from the login or the first product in the cart. It is not extended: that would cost a write
 * per page view, and a stolen session would never end.
 */
export const SESSION_LIFETIME = 14 * 24 * 3600;

/** Lifetime of a session in a cookie, in seconds. Shorter, because it cannot be revoked. */
export const COOKIE_SESSION_LIFETIME = 24 * 3600;
