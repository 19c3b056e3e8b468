import { EDGE_STALE } from '../../../lib/constants';
import { freePort } from '../../support/processes';
import { startHaproxyProcess, TRUST_FORWARDED_FOR } from './haproxy-process';

export interface EdgeCacheOptions {
  /** Folder for configuration, log and admin socket. Its path must be short for the socket. Created when missing. */
  readonly dir: string;
  /** TCP port of the balancer on loopback. */
  readonly origin: number;
  /**
   * TCP port on loopback.
   *
   * @default - a free one
   */
  readonly port?: number;
}

/** A running HAProxy as a stand-in for CloudFront. */
export interface EdgeCache {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /** Cache lookups and hits since the start. */
  counters(): Promise<{ lookups: number; hits: number }>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts a cache with the cache behaviors of `lib/tiers/edge.ts`: catalogue API responses for all visitors, catalogue pages for
 * visitors without a cookie, and static files, each for its `s-maxage`. The app serves static files here, S3 does in the cloud.
 *
 * HAProxy's cache ignores `stale-while-revalidate` and `stale-if-error`, and has no lock for concurrent misses: when a response
 * expires, every request that arrives before the next one is stored goes to the origin, and an error reaches the visitor.
 *
 * @see https://github.com/haproxy/haproxy/issues/214
 * @throws Error with the end of the log when haproxy is missing or does not start
 */
export async function startEdgeCache(options: EdgeCacheOptions): Promise<EdgeCache> {
  const port = options.port ?? (await freePort());
  const { dir, origin } = options;
  const haproxy = await startHaproxyProcess({ dir, port, configuration: configuration(origin, port) });
  return {
    pid: haproxy.pid,
    port,
    url: haproxy.url,
    counters: async () => {
      const stats = await haproxy.stats();
      const frontend = stats.find(({ pxname, svname }) => pxname === 'edge' && svname === 'FRONTEND');
      return { lookups: Number(frontend?.cache_lookups ?? 0), hits: Number(frontend?.cache_hits ?? 0) };
    },
    stop: haproxy.stop,
  };
}

/**
 * HAProxy caches neither a response with `Vary: Cookie` nor one with `max-age=0`, regardless of `s-maxage`. Removes `Vary` from
 * shared responses, and `max-age=0` before the cache, and restores the latter after it.
 */
function configuration(origin: number, port: number): string {
  return `cache shop
  total-max-size 64
  max-object-size 1000000
  max-age ${EDGE_STALE}

frontend edge
  mode http
  bind 127.0.0.1:${port}
  ${TRUST_FORWARDED_FOR}
  acl shared-answer path_beg /api/products
  acl shared-page path /
  acl shared-page path_beg /products/
  acl static-file path_beg /assets/
  acl cookie hdr(cookie) -m found
  http-request set-var(txn.shared) bool(true) if shared-answer or static-file
  http-request set-var(txn.shared) bool(true) if shared-page !cookie
  http-request del-header cookie if shared-answer
  http-request cache-use shop if { var(txn.shared) -m bool }
  http-response del-header vary if { var(txn.shared) -m bool }
  http-response replace-header cache-control "(.*)max-age=0, (.*)" "\\1\\2" if { var(txn.shared) -m bool }
  http-response cache-store shop if { var(txn.shared) -m bool }
  http-after-response replace-header cache-control "public, (s-maxage=.*)" "public, max-age=0, \\1"
  default_backend origin

backend origin
  mode http
  server balancer 127.0.0.1:${origin}
`;
}
