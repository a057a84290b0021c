// Checks an evidence bundle (a folder, see README.md), written apart from the Go command and with nothing but Node 20:
//   node verify.mjs BUNDLE --trust trust.json [--since OLD.checkpoint] [--strict]
// Exit codes: 0 good, 1 tampered, 2 incomplete, 3 untrusted key, 4 malformed, 5 page differs. It does not compute the
// states of the promises again: it compares the page with the record the log has of it.
import { createHash, createHmac, createPublicKey, verify as verifySignature } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';

const TAMPERED = 1, INCOMPLETE = 2, UNTRUSTED = 3, MALFORMED = 4, PAGE = 5;
const failures = [], fail = (exit, text) => { failures.push({ exit, text }); };
class Stop extends Error {}
const must = (ok, exit, text) => { if (!ok) throw Object.assign(new Stop(text), { exit }); };
const parse = (text, what) => { try { return JSON.parse(text); } catch { must(false, MALFORMED, `${what}: not JSON`); } };

const sha256 = (...parts) => parts.reduce((h, p) => h.update(p), createHash('sha256')).digest();
const digest = (data) => 'sha256:' + sha256(data).toString('hex');
const framed = (h, part) => { const n = Buffer.alloc(8); n.writeBigUInt64BE(BigInt(Buffer.byteLength(part))); return h.update(n).update(part); };
const base32 = (bytes) => [...bytes].map((b) => b.toString(2).padStart(8, '0')).join('').match(/.{1,5}/g).map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[parseInt(five.padEnd(5, '0'), 2)]).join('');
const base64 = (text, what) => { const b = Buffer.from(text ?? '', 'base64'); must(text && b.toString('base64') === text, MALFORMED, `${what}: not base64`); return b; };
const utf8 = (data, what) => { try { return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data); } catch { must(false, MALFORMED, `${what}: not UTF-8`); } };

// Files: undefined when there is none; never larger than they may be.
const [, , bundle, ...rest] = process.argv, after = (name) => rest[[...rest, name].indexOf(name) + 1];
const flags = { trust: after('--trust'), since: after('--since'), strict: rest.includes('--strict') };
if (!bundle || !flags.trust) { console.error('usage: node verify.mjs BUNDLE --trust FILE [--since FILE] [--strict]'); process.exit(64); }
function read(path, limit, exit = MALFORMED, name = path) {
  const s = statSync(path, { throwIfNoEntry: false });
  must(!s || s.isFile() && s.size <= limit, exit, `${name}: not a plain file of at most ${limit} bytes`);
  return s && readFileSync(path);
}
const inBundle = (name, limit, exit) => read(join(bundle, name), limit, exit, name);
const list = (folder) => (existsSync(join(bundle, folder)) ? readdirSync(join(bundle, folder)) : []).map((n) => (must(/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(n), MALFORMED, `${folder}: a name is not allowed`), n));
// Keys and notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature).
function parseKey(text, algorithm) {
  const m = /^([A-Za-z0-9][A-Za-z0-9._/-]{0,254})\+([0-9a-f]{8})\+(.+)$/.exec(text);
  must(m, MALFORMED, 'trust: a key cannot be read');
  const raw = base64(m[3], 'trust');
  must(raw.length === 33 && raw[0] === algorithm && sha256(m[1] + '\n', raw).subarray(0, 4).toString('hex') === m[2], MALFORMED, `trust: the key of ${m[1]} is malformed`);
  return { id: m[1] + ' ' + m[2], name: m[1], algorithm, key: createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw.subarray(1)]), format: 'der', type: 'spki' }) };
}
function readTrust(data) {
  must(data, MALFORMED, 'trust: there is no file');
  const text = utf8(data, 'trust'), t = parse(text, 'trust'), all = [...t?.keys ?? [], ...t?.witnesses ?? []], objects = [t, ...all];
  must(t?.v === 1 && t.keys?.length && objects.every((o, i) => Object.keys(o).every((n) => (i ? ['key', 'from', 'to'] : ['v', 'origin', 'keys', 'witnesses']).includes(n))), MALFORMED, 'trust: not of its form');
  must(text.match(/"\w+"\s*:/g).length === objects.flatMap(Object.keys).length, MALFORMED, 'trust: a member occurs twice');
  return { origin: t.origin, keys: all.map(({ key, from = 0, to = 0 }, i) => {
    const k = parseKey(String(key), i < t.keys.length ? 1 : 4);
    must((k.name === t.origin) === (k.algorithm === 1) && [from, to].every((n) => Number.isSafeInteger(n) && n >= 0) && (!to || to >= from), MALFORMED, 'trust: a key counts for no log');
    return { ...k, from, to };
  }) };
}
function openCheckpoint(data, where) {
  must(data, INCOMPLETE, `${where}: the checkpoint is missing`);
  const note = utf8(data, where), at = note.lastIndexOf('\n\n');
  const text = note.slice(0, at + 1), lines = text.split('\n'), sigs = note.slice(at + 2).split('\n');
  must(at >= 0 && lines.length >= 4 && !lines.slice(0, -1).includes('') && !/[\0-\x09\x0b-\x1f\x7f]/.test(text) && sigs.pop() === '' && sigs.length && sigs.length <= 100, MALFORMED, `${where}: not a checkpoint`);
  const size = Number(lines[1]), root = base64(lines[2], where);
  must(/^(0|[1-9][0-9]*)$/.test(lines[1]) && Number.isSafeInteger(size) && root.length === 32, MALFORMED, `${where}: size or root cannot be read`);
  const seen = new Set(), good = [], parsed = sigs.map((line) => {
    const m = /^— ([A-Za-z0-9][A-Za-z0-9._/-]{0,254}) (.+)$/.exec(line) ?? [];
    const raw = base64(m[2], where), id = m[1] + ' ' + raw.subarray(0, 4).toString('hex');
    must(raw.length >= 5 && seen.size < seen.add(id).size, MALFORMED, `${where}: a signature is cut off or there twice`);
    return [id, raw.subarray(4)];
  });
  must(lines[0] === trust.origin, UNTRUSTED, `${where}: of another log`);
  for (const [id, sig] of parsed) for (const k of trust.keys) {
    if (id !== k.id || size < k.from || (k.to && size > k.to)) continue;
    const stamp = k.algorithm === 4, signed = stamp && sig.length === 72 ? `cosignature/v1\ntime ${sig.readBigUInt64BE()}\n${text}` : text;
    must(sig.length === (stamp ? 72 : 64) && verifySignature(null, Buffer.from(signed), k.key, sig.subarray(stamp ? 8 : 0)), TAMPERED, `${where}: a trusted key's signature does not fit`);
    good.push(k);
  }
  must(good.some((k) => k.algorithm === 1), UNTRUSTED, `${where}: no trusted key has signed`);
  return { where, size, root, witnessed: good.some((k) => k.algorithm === 4) };
}
// The tree (RFC 6962) and its tiles (C2SP tlog-tiles).
const leafHash = (data) => sha256(Buffer.from([0]), data), nodeHash = (a, b) => sha256(Buffer.from([1]), a, b);
const subtree = (h) => h.length === 1 ? h[0] : nodeHash(subtree(h.slice(0, h.length / 2)), subtree(h.slice(h.length / 2)));
const whole = (h) => h.length ? [...whole(h.slice(0, -(h.length & -h.length))), subtree(h.slice(-(h.length & -h.length)))] : []; // the whole subtrees
const rootOf = (levels) => [...levels].reverse().flatMap(whole).reduceRight((root, h) => root ? nodeHash(h, root) : h, undefined) ?? sha256('');
const tilePath = (level, n, width) => `tile/${level}/${n > 999 ? String(n).padStart(Math.ceil(String(n).length / 3) * 3, '0').replace(/(\d{3})(?=\d)/g, 'x$1/') : String(n).padStart(3, '0')}` + (width < 256 ? `.p/${width}` : '');
function readTile(level, n, width, limit) {
  const name = tilePath(level, n, width), data = inBundle(name, limit, TAMPERED);
  return data ? { name, data, full: width === 256 } : { name, data: inBundle(tilePath(level, n, 256), limit, TAMPERED), full: true };
}
function compareTile(level, n, hashes) {
  const { name, data, full } = readTile(level, n, hashes.length, 8192), want = Buffer.concat(hashes);
  if (data && want.equals(full ? data.subarray(0, want.length) : data)) return;
  spoiled = true;
  fail(data ? TAMPERED : INCOMPLETE, `${name}: ${data ? 'not the hashes of the records' : 'missing'}`);
}
function* leavesOf(size) {
  for (let n = 0; n * 256 < size; n++) {
    const width = Math.min(256, size - n * 256), { name, data, full } = readTile('entries', n, width, 256 * 65537), leaves = [], most = full ? 256 : width;
    must(data, INCOMPLETE, `${name}: missing`);
    let at = 0;
    for (let end; leaves.length < most && at + 2 <= data.length && (end = at + 2 + data.readUInt16BE(at)) <= data.length; at = end) leaves.push(data.subarray(at + 2, end));
    if (at < data.length) { // cut off, when all that is left was logged and no whole entry stands behind a wrong length
      const tile = readTile(0, n, width, 8192).data ?? '', logged = (leaf, i) => leafHash(leaf).equals(tile.slice(i * 32, i * 32 + 32));
      const cut = leaves.length < most && tile.length > leaves.length * 32 && leaves.every(logged) && !logged(data.subarray(at + 2), leaves.length);
      must(false, cut ? INCOMPLETE : TAMPERED, `${name}: cannot be taken apart into records`);
    }
    yield* leaves.slice(0, width);
    must(leaves.length >= most, INCOMPLETE, `${name}: ends before all records`);
  }
}
// Records: one reading, one writing.
const DIGEST = /^sha256:[0-9a-f]{64}$/, SECRET = /^hmac:[a-z2-7]{52}$/, ID = /^[a-z2-7]{32}$/;
const isWord = (s) => { if (typeof s !== 'string') return false; const host = s.split('/')[0], port = /^(.*):(\d+)$/.exec(host); return /^-?[A-Za-z0-9][A-Za-z0-9._/+:-]{0,127}$/.test(s) && !isIP(host) && !(port && isIP(port[1]) === 4 && port[2] < 65536); };
const isTime = (s) => typeof s === 'string' && /^(19[7-9]\d|[2-9]\d{3})-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(s) && !isNaN(Date.parse(s)) && new Date(s).toISOString() === s;
const isInt = Number.isSafeInteger, isCount = (n) => isInt(n) && n >= 0, is = (form) => (s) => typeof s === 'string' && form.test(s), oneOf = (text) => (s) => text.split(' ').includes(s);
const FORM = {
  'code?': is(DIGEST), 'config?': is(DIGEST), control: isWord, 'expires?': isTime, id: is(ID), 'method?': oneOf('TEST EXAMINE INTERVIEW'), v: (v) => v === 1,
  'facts?': (f) => f && typeof f === 'object' && Object.keys(f).length > 0 && Object.keys(f).length <= 32 && Object.entries(f).every(([n, w]) => /^[a-z][a-z0-9_]{0,31}$/.test(n) && isWord(w)),
  kind: oneOf('run observation finding case access attestation waiver remediation review drill release dsr breach claim policy key page erasure gap'),
  'payload?': { bytes: isCount, c: (c) => is(DIGEST)(c) || is(SECRET)(c) }, 'population?': { errors: isCount, expected: isCount, seen: isCount },
  'promise_text?': is(DIGEST), promises: (p) => Array.isArray(p) && p.every((id, i) => isWord(id) && (!i || p[i - 1] < id)), 'refs?': [{ id: is(ID), rel: isWord }],
  'result?': { 'limit?': isInt, 'metric?': isWord, 'op?': oneOf('< <= == >= >'), state: oneOf('kept broken unknown attested inherited excepted pass violation exempt undetermined'), 'value?': isInt },
  'run?': { seq: (n) => isCount(n) && n > 0 }, source: { collected: isTime, event: is(DIGEST), 'observed?': isTime, 'type?': isWord }, 'subjects?': [{ c: is(SECRET), type: isWord }], 'window?': { from: isTime, to: isTime },
};
const fits = (v, form) => typeof form === 'function' ? (typeof v === 'string' || typeof v === 'number' || (v && typeof v === 'object')) && form(v)
  : Array.isArray(form) ? Array.isArray(v) && v.length > 0 && v.every((item) => fits(item, form[0]))
    : v && typeof v === 'object' && !Array.isArray(v) && Object.keys(v).every((n) => Object.hasOwn(form, n) || Object.hasOwn(form, n + '?')) && Object.entries(form).every(([n, f]) => n.endsWith('?') && !Object.hasOwn(v, n.slice(0, -1)) || Object.hasOwn(v, n.replace('?', '')) && fits(v[n.replace('?', '')], f));
const canonical = (v) => Array.isArray(v) ? v.map(canonical) : v && typeof v === 'object' ? Object.fromEntries(Object.keys(v).sort().map((n) => [n, canonical(v[n])])) : v;
function parseRecord(leaf) {
  const text = utf8(leaf, 'it'), r = parse(text, 'it'), result = r?.result ?? {}, p = r?.population;
  const ok = fits(r, FORM) && JSON.stringify(canonical(r)) === text && ('value' in result) === ('metric' in result) && ('limit' in result) === ('op' in result) && !('op' in result && !('metric' in result))
    && !(r.window && r.window.to < r.window.from) && !(p && (p.errors > 0 || p.seen < p.expected) && result.state !== 'unknown');
  must(ok && r.id === base32([r.control, r.source.event, r.kind, ...r.promises].reduce(framed, createHash('sha256')).digest().subarray(0, 20)), MALFORMED, 'not of the form of one, or of another name');
  return r;
}
function checkPayload(r) {
  if (!payloads.delete(r.id)) return;
  const name = 'payloads/' + r.id, data = inBundle(name, 64 << 20, TAMPERED), salt = inBundle(name + '.salt', 1024, TAMPERED), c = r.payload?.c ?? '';
  if (c.startsWith('hmac:') && !salt) return fail(INCOMPLETE, `${name}: the salt is missing`);
  const made = c.startsWith('hmac:') ? 'hmac:' + base32([Buffer.from('payload'), data].reduce(framed, createHmac('sha256', salt)).digest()) : digest(data);
  if (made !== c || data.length !== r.payload.bytes || (c.startsWith('hmac:') && salt.length < 16)) fail(TAMPERED, `${name}: not what its record commits to`);
}
function checkProof({ name, index, path, head }, hash) {
  let fn = index, sn = head.size - 1, used = 0; // RFC 9162, section 2.1.3.2
  for (const h of path) {
    if (sn === 0) break;
    const right = fn % 2 || fn === sn;
    hash = right ? nodeHash(h, hash) : nodeHash(hash, h);
    for (; right && fn && fn % 2 === 0; sn = Math.floor(sn / 2)) fn /= 2;
    [fn, sn, used] = [Math.floor(fn / 2), Math.floor(sn / 2), used + 1];
  }
  if (sn !== 0 || used !== path.length || !hash.equals(head.root)) fail(TAMPERED, `${name}: does not hold`);
}
function openProof(file) {
  const name = 'proofs/' + file, text = utf8(inBundle(name, 128 << 10), name), at = text.indexOf('\n\n'), lines = text.slice(0, at).split('\n');
  const m = lines[0] === 'c2sp.org/tlog-proof@v1' && /^index (0|[1-9][0-9]{0,15})$/.exec(lines[1]);
  if (!m) { fail(MALFORMED, `${name}: not a proof`); return []; }
  return [{ name, index: Number(m[1]), path: lines.slice(2).map((l) => base64(l, name)), head: openCheckpoint(Buffer.from(text.slice(at + 2)), name) }];
}

let trust, payloads, page, spoiled = false, size = 0;
function run() {
  trust = readTrust(read(flags.trust, 256 << 10));
  const head = openCheckpoint(inBundle('checkpoint', 64 << 10), 'checkpoint');
  if (flags.strict && !head.witnessed) fail(UNTRUSTED, 'checkpoint: no trusted witness');
  const earlier = [...flags.since ? [openCheckpoint(read(flags.since, 64 << 10), '--since')] : [], ...list('checkpoints').map((n) => openCheckpoint(inBundle('checkpoints/' + n, 64 << 10), n))];
  payloads = new Set(list('payloads').filter((n) => !n.endsWith('.salt')));
  const proofs = list('proofs').filter((n) => n.endsWith('.tlog-proof')).flatMap(openProof), levels = [], runs = Object.create(null);
  for (const e of earlier) if (e.size > head.size) fail(INCOMPLETE, `${e.where}: the log ends before it`);
  for (const p of proofs) if (p.index >= head.size) fail(TAMPERED, `${p.name}: no such record`);
  const reach = () => { for (const e of earlier) if (e.size === size && !rootOf(levels).equals(e.root)) fail(TAMPERED, `${e.where}: not extended by the log`); };
  reach();
  for (const leaf of leavesOf(head.size)) {
    for (const p of proofs) if (p.index === size) checkProof(p, leafHash(leaf));
    try {
      const r = parseRecord(leaf);
      checkPayload(r);
      if (r.kind === 'page' && r.control === 'trust-page') page = { index: size, ...r };
      if (r.run) (runs[r.control] ??= new Set()).add(r.run.seq);
    } catch (e) { if (!(e instanceof Stop)) throw e; spoiled = true; fail(e.exit, `record ${size}: ${e.message}`); }
    size++;
    for (let level = 0, h = leafHash(leaf); h; level++) {
      const tile = (levels[level] ??= []), full = tile.push(h) === 256;
      if (full) compareTile(level, Math.floor((size - 1) / 256 ** (level + 1)), tile, levels[level] = []);
      h = full && subtree(tile);
    }
    reach();
  }
  levels.forEach((tile, level) => { if (tile.length) compareTile(level, Math.floor(size / 256 ** (level + 1)), tile); });
  if (!rootOf(levels).equals(head.root)) { spoiled = true; fail(TAMPERED, 'checkpoint: the records do not lead to its root'); }
  for (const id of payloads) fail(TAMPERED, `payloads/${id}: no record commits to it`);
  for (const [control, s] of Object.entries(runs)) if (flags.strict && [...s].reduce((a, b) => Math.max(a, b)) !== s.size) fail(INCOMPLETE, `${control}: runs are missing`);
  if (!spoiled) checkPage(inBundle('page.json', 32 << 20, PAGE));
  console.log(`${size} records of ${trust.origin}`);
}
function checkPage(data) {
  const { size, page: named } = page?.facts ?? {};
  if (!page) return data && fail(PAGE, 'page.json: the log names no page');
  if (!/^(0|[1-9]\d*)$/.test(size) || Number(size) > page.index || !page.source.observed) return fail(PAGE, `record ${page.index}: names no page of the log before it`);
  if (!data || digest(data) !== named) fail(data ? PAGE : INCOMPLETE, 'page.json: not the page that the log names');
}
try { run(); } catch (e) { if (!(e instanceof Stop)) { console.error(e); process.exit(70); } fail(e.exit, e.message); }
for (const f of failures) console.error(f.text);
process.exitCode = [TAMPERED, MALFORMED, INCOMPLETE, PAGE, UNTRUSTED].find((exit) => failures.some((f) => f.exit === exit)) ?? 0;
