import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Unavailable } from '../errors';

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/**
 * Each hash takes 16 MiB of memory and more than 0.1 s of one core.
 *
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt
 */
const COST = { ln: 14, r: 8, p: 5 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** Maximum pending hashes of one process. More would take longer than a visitor waits. */
const MAX_PENDING = 64;
let pending = 0;

/**
 * @returns the hash with its parameters, as in `$scrypt$ln=14,r=8,p=5$<salt>$<hash>`, so that the cost can be raised later
 * @throws Unavailable if too many hashes are pending
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await scryptOf(password, salt, HASH_BYTES, COST);
  return encode(COST, salt, hash);
}

/**
 * Verifies a password. Takes the same time for a wrong password and for an unknown user (`stored` is undefined).
 *
 * @throws Unavailable if too many hashes are pending
 */
export async function verifyPassword(password: string, stored: string | undefined): Promise<boolean> {
  const { cost, salt, hash } = decode(stored ?? UNKNOWN_USER);
  const actual = await scryptOf(password, salt, hash.length, cost);
  return timingSafeEqual(actual, hash) && stored !== undefined;
}

/** A hash that no password matches. */
const UNKNOWN_USER = encode(COST, randomBytes(SALT_BYTES), randomBytes(HASH_BYTES));

async function scryptOf(password: string, salt: Buffer, length: number, cost: typeof COST): Promise<Buffer> {
  if (pending >= MAX_PENDING) throw new Unavailable();
  pending += 1;
  try {
    // Keyboards may produce different code points for the same character.
    return await derive(password.normalize('NFKC'), salt, length, { N: 2 ** cost.ln, r: cost.r, p: cost.p });
  } finally {
    pending -= 1;
  }
}

function encode({ ln, r, p }: typeof COST, salt: Buffer, hash: Buffer): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

function decode(stored: string): { cost: typeof COST; salt: Buffer; hash: Buffer } {
  const found = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(stored);
  if (!found) throw new Error('a stored password hash is not in scrypt format');
  const [, ln, r, p, salt, hash] = found as unknown as [string, string, string, string, string, string];
  return {
    cost: { ln: Number(ln), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}
