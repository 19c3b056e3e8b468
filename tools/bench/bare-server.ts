import { createServer, type Server } from 'node:http';
import { messageClasses } from '../../app/http/message-classes';

/**
 * Baselines for the shop: bare servers with the same responses. This file runs as a program: it takes {@link Bare} as JSON and
 * sends its address to the parent process.
 */
export type Bare =
  /** `node:http` without a framework sends the same response to each request. */
  | { readonly serves: 'bytes'; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  /** Express: `/api/products` sends the list with `res.json`. */
  | ({ readonly serves: 'list'; readonly list: unknown } & BareExpress)
  /** Express with express-session and connect-redis: `/api/login` starts a session, `/api/me` reads it. */
  | ({ readonly serves: 'session'; readonly redisUrl: string } & BareExpress);

interface BareExpress {
  /**
   * Whether `node:http` creates the app's own requests and responses.
   *
   * @default false
   */
  readonly messageClasses?: boolean;
}

async function app(bare: Bare): Promise<Server> {
  if (bare.serves === 'bytes') {
    const body = Buffer.from(bare.body);
    return createServer((_request, response) => response.writeHead(200, bare.headers).end(body));
  }
  const { default: express } = await import('express');
  const server = express();
  if (bare.serves === 'list') {
    server.get('/api/products', (_request, response) => {
      response.json(bare.list);
    });
  } else {
    const [{ default: session }, { RedisStore }, { createClient }] = await Promise.all([
      import('express-session'),
      import('connect-redis'),
      import('redis'),
    ]);
    const client = createClient({ url: bare.redisUrl });
    await client.connect();
    // Like the shop, no write per request.
    const store = new RedisStore({ client, disableTouch: true });
    server.use(session({ store, secret: 'a secret for benches', resave: false, saveUninitialized: false }));
    server.post('/api/login', (request, response) => {
      Object.assign(request.session, { email: 'user@example.com' });
      response.json({});
    });
    server.get('/api/me', (request, response) => {
      response.json({ email: (request.session as unknown as { email: string }).email });
    });
  }
  return createServer(bare.messageClasses ? messageClasses(server) : {}, server);
}

app(JSON.parse(process.argv[2] as string) as Bare).then((server) => {
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
});
