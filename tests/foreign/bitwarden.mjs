// A Bitwarden account without Bitwarden: a server with one account, and Bitwarden's own program logged in to it.
//
//   node bitwarden.mjs FOLDER EMAIL MASTER_PASSWORD
//
// FOLDER/items.json: [{ "id", "name", "username", "password", "totp", "uris": [{ "uri", "match" }] }], read at each sync.
// The program's data is FOLDER/data; it trusts FOLDER/cert.pem. The server speaks what `bw login`, `unlock`, `sync`, `list` and
// `get` ask for, and encrypts as https://bitwarden.com/help/bitwarden-security-white-paper/ says.
import { execFile, execFileSync } from 'node:child_process';
import { createCipheriv, createHash, createHmac, generateKeyPairSync, pbkdf2Sync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { walk } from './steps.mjs';

const [folder, email, masterPassword] = process.argv.slice(2);
const at = (name) => join(folder, name);
const ITERATIONS = 600_000;
const USER = '11111111-1111-4111-8111-111111111111';
const NOW = '2026-01-01T00:00:00.000Z';

const sha256 = (text) => createHash('sha256').update(text).digest('base64');

/** Encrypts with AES-256-CBC and HMAC-SHA-256: `2.iv|data|mac`. */
function sealed(bytes, key) {
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', key.subarray(0, 32), iv);
  const data = Buffer.concat([cipher.update(bytes), cipher.final()]);
  const mac = createHmac('sha256', key.subarray(32)).update(iv).update(data).digest();
  return `2.${[iv, data, mac].map((part) => part.toString('base64')).join('|')}`;
}

// The master key opens the user's key, which opens everything else.
const masterKey = pbkdf2Sync(masterPassword, email, ITERATIONS, 32, 'sha256');
const expanded = (info) => createHmac('sha256', masterKey).update(`${info}\x01`).digest();
const userKey = randomBytes(64);
const key = sealed(userKey, Buffer.concat([expanded('enc'), expanded('mac')]));
const passwordHash = pbkdf2Sync(masterKey, masterPassword, 1, 32, 'sha256').toString('base64');
const pair = generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'der' }, privateKeyEncoding: { type: 'pkcs8', format: 'der' } });
const privateKey = sealed(pair.privateKey, userKey);
const accountKeys = { publicKeyEncryptionKeyPair: { wrappedPrivateKey: privateKey, publicKey: pair.publicKey.toString('base64') } };

const kdf = { kdfType: 0, iterations: ITERATIONS };
const masterPasswordUnlock = { kdf, masterKeyEncryptedUserKey: key, masterKeyWrappedUserKey: key, salt: email };
const profile = { object: 'profile', id: USER, name: 'Ada', email, emailVerified: true, premium: true, securityStamp: 'stamp', key, privateKey, accountKeys, creationDate: NOW, organizations: [], providers: [], providerOrganizations: [] };

/** Returns a token that says who it is for; nobody checks who signed it. */
function token() {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: USER, email, email_verified: true, name: 'Ada', premium: true, exp: Math.floor(Date.now() / 1000) + 3600, client_id: 'cli', scope: ['api', 'offline_access'], amr: ['Application'] };
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.${part('none')}`;
}

function cipherOf({ id, name, username, password, totp, uris }) {
  const text = (value) => (value == null ? null : sealed(Buffer.from(value), userKey));
  return {
    object: 'cipherDetails', id, type: 1, name: text(name), edit: true, viewPassword: true, permissions: { delete: true, restore: true },
    collectionIds: [], creationDate: NOW, revisionDate: NOW,
    login: {
      username: text(username), password: text(password), totp: text(totp),
      uris: uris.map(({ uri, match = null }) => ({ uri: text(uri), match, uriChecksum: text(sha256(uri)) })),
    },
  };
}

const ROUTES = {
  'POST /identity/accounts/prelogin/password': () => ({ kdf: 0, kdfIterations: ITERATIONS, kdfSettings: kdf, salt: email }),
  'POST /identity/connect/token': (asked) => {
    if (asked.get('grant_type') === 'password' && asked.get('password') !== passwordHash) return null;
    return {
      access_token: token(), expires_in: 3600, token_type: 'Bearer', refresh_token: 'refresh', scope: 'api offline_access', Key: key, PrivateKey: privateKey, AccountKeys: accountKeys,
      Kdf: 0, KdfIterations: ITERATIONS, UserDecryptionOptions: { Object: 'userDecryptionOptions', HasMasterPassword: true, MasterPasswordUnlock: masterPasswordUnlock },
    };
  },
  'GET /api/config': () => ({ object: 'config', version: '2026.1.0', environment: {}, featureStates: {} }),
  'GET /api/accounts/revision-date': () => Date.now(),
  'GET /api/accounts/profile': () => profile,
  'GET /api/sync': () => ({
    object: 'sync', profile, folders: [], collections: [], policies: [], sends: [], ciphers: JSON.parse(readFileSync(at('items.json'), 'utf8')).map(cipherOf),
    domains: { equivalentDomains: [], globalEquivalentDomains: [] }, userDecryption: { masterPasswordUnlock },
  }),
};

async function answer(request, response) {
  let body = '';
  for await (const part of request) body += part;
  const route = ROUTES[`${request.method} ${request.url.split('?')[0]}`];
  const found = route?.(new URLSearchParams(body));
  response.writeHead(route === undefined ? 404 : found === null ? 400 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(found ?? { message: 'no' }));
}

await walk({
  /** Starts the server and logs the program in. */
  async login() {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', at('key.pem'), '-out', at('cert.pem'), ...subject], { stdio: 'ignore' });
    mkdirSync(at('data'), { recursive: true });
    const server = createServer({ cert: readFileSync(at('cert.pem')), key: readFileSync(at('key.pem')) }, (request, response) => void answer(request, response));
    await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
    const env = { ...process.env, BITWARDENCLI_APPDATA_DIR: at('data'), NODE_EXTRA_CA_CERTS: at('cert.pem'), MASTER: masterPassword };
    const bw = (...args) => promisify(execFile)('node_modules/.bin/bw', args, { env });
    await bw('config', 'server', `https://127.0.0.1:${server.address().port}`);
    await bw('login', email, '--passwordenv', 'MASTER', '--nointeraction');
    return (await bw('--version')).stdout.trim();
  },
});
