import { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';

/**
 * Returns the options with which `node:http` creates requests and responses with the prototypes of the app.
 *
 * Without them, Express changes the prototype of both for every request. Before Node.js 24, this takes longer than all other work of
 * Express together, because V8 optimizes objects by their shape and gets new shapes with each request.
 *
 * ```ts
 * createServer(messageClasses(app), app).listen(8080);
 * ```
 *
 * Call it once for each app, before you mount other apps on it. Several servers can share the result.
 *
 * @param app changed: its `request` and `response` become the prototypes of the returned classes
 * @see https://github.com/expressjs/express/issues/5998
 * @see https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Global_Objects/Object/setPrototypeOf
 */
export function messageClasses(app: Express) {
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse {}
  Object.setPrototypeOf(AppRequest.prototype, app.request);
  Object.setPrototypeOf(AppResponse.prototype, app.response);
  Object.assign(app, { request: AppRequest.prototype, response: AppResponse.prototype });
  return { IncomingMessage: AppRequest, ServerResponse: AppResponse };
}
