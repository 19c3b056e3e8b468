import { Router } from 'express';

/** Returns a router for which `/cart/` and `/Cart` are not `/cart`. A router does not inherit these settings from the app. */
export function exactRouter(): Router {
  return Router({ caseSensitive: true, strict: true });
}
