import { createServer, type Server } from 'node:http';

/**
 * What the shop is compared with: the same answers from the usual parts, with nothing around them. Runs as a program; takes
 * {@link Bare} as JSON, and tells its parent the port.
 */
export type Bare =
  /** Express that sends the list with `res.json`, at `/api/products`. */
  | { readonly serves: 'list'; readonly list: unknown }
  /** Express, express-session and connect-redis: `/api/login` begins a session, `/api/me` reads it. */
  | { readonly serves: 'session'; readonly redisUrl: string };

async function app(bare: Bare): Promise<Server> {
  const { default: express } = await import('express');
  const shop = express();
  if (bare.serves === 'list') {
    shop.get('/api/products', (_request, response) => {
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
    // Without a write for each request, as the shop.
    const store = new RedisStore({ client, disableTouch: true });
    shop.use(session({ store, secret: 'a secret for benches', resave: false, saveUninitialized: false }));
    shop.post('/api/login', (request, response) => {
      Object.assign(request.session, { email: 'somebody@example.com' });
      response.json({});
    });
    shop.get('/api/me', (request, response) => {
      response.json({ email: (request.session as unknown as { email: string }).email });
    });
  }
  return createServer(shop);
}

app(JSON.parse(process.argv[2] as string) as Bare).then((server) => {
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
});
