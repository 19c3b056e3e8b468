import { Database } from '../../app/data/db';
import { PASSWORD, serverEnv, TestBed } from '../support/shop';

/** The app behind an edge cache and with a connection pooler. */
let testBed: TestBed;

beforeAll(async () => {
  testBed = await TestBed.open();
});

afterAll(() => testBed?.close());

test('visitors of an HTTPS edge get cookies and headers for HTTPS, even if the last hop is HTTP', async () => {
  const database = await testBed.database();
  const server = await testBed.serve(database, { TRUST_PROXY: '2', VIEWER_PROTOCOL: 'https' });
  const through = { 'x-forwarded-proto': 'http', 'x-forwarded-for': '192.0.2.7, 10.0.0.1' };
  const answer = await fetch(`${server.url}/api/signup`, {
    method: 'POST',
    headers: { ...through, 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ann@example.com', password: PASSWORD }),
  });
  expect(answer.status).toBe(201);
  expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000');
  expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(/; Secure/)]);
});

test('startup settings are sent to a database, but not to a pooler, which would reject the connection', async () => {
  const { DATABASE_URL } = serverEnv(await testBed.database());
  const settingOf = async (role: 'primary' | 'proxy') => {
    const database = new Database({ connectionString: DATABASE_URL }, () => {}, role);
    const names = ['statement_timeout', 'idle_in_transaction_session_timeout'];
    const rows = await database.query<{ setting: string }>('SELECT setting FROM pg_settings WHERE name = ANY($1)', [
      names,
    ]);
    await database.close();
    return rows.map(({ setting }) => setting);
  };
  expect(await settingOf('primary')).toEqual(['5000', '5000']);
  expect(await settingOf('proxy')).toEqual(['0', '0']);
});
