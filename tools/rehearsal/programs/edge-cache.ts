import { freePort } from '../../support/processes';
import { TRUST_FORWARDED_FOR, startHaproxyProcess } from './haproxy-process';

export interface EdgeCacheOptions {
  /** Folder of its configuration, its log and its admin socket, so that its path must be short. Made when missing. */
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

/** A running HAProxy in the place of CloudFront. */
export interface EdgeCache {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /** Requests that it looked up in its cache, and those among them that it answered itself; since it started. */
  counters(): Promise<{ lookups: number; hits: number }>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts a cache that holds what `lib/tiers/edge.ts` has CloudFront hold: the catalogue's answers whoever asks, its pages for
 * visitors without a cookie, static files; as long as the app says by `s-maxage`, and nothing without it. Static files come
 * from the app here, in the cloud from S3.
 *
 * @throws when haproxy is not here or does not start; with the end of its log
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
 * HAProxy keeps no answer that varies by cookie: where there is none to vary by, that word is taken out. Nor does it keep one
 * with `max-age=0`, whatever `s-maxage` says: that word is taken out on the way in, and put back on the way out.
 */
function configuration(origin: number, port: number): string {
  return `cache shop
  total-max-size 64
  max-object-size 1000000
  max-age 60

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
