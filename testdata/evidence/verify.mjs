// Checks an evidence bundle (a folder, see README.md), written apart from the Go command and with nothing but Node 20.
// Exit codes: 0 good, 1 tampered, 2 incomplete, 3 untrusted key, 4 malformed, 5 page differs. It does not compute the
// states of the promises again: it compares the page with the record the log has of it.
import { createHash, createHmac, createPublicKey, verify as verifySignature } from 'node:crypto';
import { lstatSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
const TAMPERED = 1, INCOMPLETE = 2, UNTRUSTED = 3, MALFORMED = 4, PAGE = 5;
const exits = new Set(), fail = (exit, text) => { exits.add(exit); console.error(text); };
class Stop extends Error {}
const must = (ok, exit, text) => { if (!ok) throw Object.assign(new Stop(text), { exit }); };
const attempt = (work, where = '') => { try { return work(); } catch (e) { if (!(e instanceof Stop)) throw e; fail(e.exit, where + e.message); } };
const parse = (text, what) => { try { return JSON.parse(text); } catch { must(false, MALFORMED, `${what}: not JSON`); } };
const sha256 = (...parts) => parts.reduce((h, p) => h.update(p), createHash('sha256')).digest(), digest = (data) => 'sha256:' + sha256(data).toString('hex');
const framed = (h, part) => { const n = Buffer.alloc(8); n.writeBigUInt64BE(BigInt(Buffer.byteLength(part))); return h.update(n).update(part); };
const base32 = (bytes) => [...bytes].map((b) => b.toString(2).padStart(8, '0')).join('').match(/.{1,5}/g).map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[parseInt(five.padEnd(5, '0'), 2)]).join('');
const base64 = (text, what) => { const b = Buffer.from(text ?? '', 'base64'); must(text && b.toString('base64') === text, MALFORMED, `${what}: not base64`); return b; };
const utf8 = (data, what) => { try { return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data); } catch { must(false, MALFORMED, `${what}: not UTF-8`); } };
// Files: undefined when there is none; never a link or behind one, and never larger than they may be.
const [, , bundle, ...rest] = process.argv, after = (name) => rest[[...rest, name].indexOf(name) + 1];
const flags = { trust: after('--trust'), since: after('--since'), strict: rest.includes('--strict') };
if (!bundle || !flags.trust) { console.error('usage: node verify.mjs BUNDLE --trust FILE [--since FILE] [--strict]'); process.exit(64); }
function look(name, isWanted) {
  const paths = name.split('/').map((_, i, parts) => join(bundle, ...parts.slice(0, i + 1))), last = paths.pop();
  const found = (path, kind) => { const s = lstatSync(path, { throwIfNoEntry: false }); must(!s || s[kind](), MALFORMED, `${name}: not plain`); return s; };
  return paths.every((folder) => found(folder, 'isDirectory')) && found(last, isWanted) ? last : undefined;
}
function inBundle(name, limit, exit = MALFORMED) {
  const path = look(name, 'isFile');
  must(!path || statSync(path).size <= limit, exit, `${name}: larger than ${limit} bytes`);
  return path && readFileSync(path);
}
const list = (folder) => {
  const path = look(folder, 'isDirectory'), names = path ? readdirSync(path).sort() : [], plain = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
  return must(names.length <= 10000 && names.every((n) => plain.test(n)), MALFORMED, `${folder}: too many names, or one that is not allowed`), names;
};
// Keys and notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature).
function parseKey({ key, from = 0, to = 0 }, algorithm) {
  const [, name, hash, encoded] = /^([A-Za-z0-9][A-Za-z0-9._/-]{0,254})\+([0-9a-f]{8})\+(.+)$/.exec(key) ?? [], raw = base64(encoded, 'trust');
  const whole = raw.length === 33 && raw[0] === algorithm && sha256(name + '\n', raw).subarray(0, 4).toString('hex') === hash;
  must(whole && (!to || to >= from), MALFORMED, 'trust: a key is malformed, or counts for no log');
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw.subarray(1)]), form = { key: der, format: 'der', type: 'spki' };
  return { id: name + ' ' + hash, name, algorithm, from, to, text: key, key: createPublicKey(form) };
}
function readTrust(data) { // each thing has one spelling: without white space, the file is what is written of what was read
  const text = utf8(data, 'trust'), t = parse(text, 'trust');
  must(data.length <= 256 << 10 && fits(t, TRUST) && JSON.stringify(t) === text.replace(/[ \t\r\n]/g, ''), MALFORMED, 'trust: not of its form');
  const { origin, witnesses = [] } = t, keys = [...t.keys.map((k) => parseKey(k, 1)), ...witnesses.map((k) => parseKey(k, 4))];
  must(new Set(keys.map((k) => k.text)).size === keys.length && keys.every((k) => (k.name === origin) === (k.algorithm === 1)), MALFORMED, 'trust: a key is there twice, or of another log');
  return { origin, keys };
}
function openCheckpoint(data, where) {
  must(data, INCOMPLETE, `${where}: the checkpoint is missing`);
  const note = utf8(data, where), at = note.lastIndexOf('\n\n'), text = note.slice(0, at + 1), lines = text.split('\n'), sigs = note.slice(at + 2).split('\n');
  const clean = !lines.slice(0, -1).includes('') && !/[\0-\x09\x0b-\x1f\x7f]/.test(text) && data.length <= 64 << 10 && Buffer.byteLength(text) <= 32 << 10;
  must(at >= 0 && lines.length >= 4 && clean && sigs.pop() === '' && sigs.length && sigs.length <= 100, MALFORMED, `${where}: not a checkpoint`);
  const size = Number(lines[1]), root = base64(lines[2], where);
  must(/^(0|[1-9][0-9]{0,18})$/.test(lines[1]) && BigInt(lines[1]) < 2n ** 62n && root.length === 32, MALFORMED, `${where}: size or root cannot be read`);
  const seen = new Set(), good = [], parsed = sigs.map((line) => {
    const [, name, encoded] = /^— ([A-Za-z0-9][A-Za-z0-9._/-]{0,254}) (.+)$/.exec(line) ?? [];
    const raw = base64(encoded, where), id = name + ' ' + raw.subarray(0, 4).toString('hex');
    must(raw.length >= 5 && seen.size < seen.add(id).size, MALFORMED, `${where}: a signature is cut off or there twice`);
    return [id, raw.subarray(4)];
  });
  must(lines[0] === trust.origin, UNTRUSTED, `${where}: of another log`);
  for (const [id, sig] of parsed) for (const k of trust.keys) {
    if (id !== k.id || size < k.from || (k.to && size > k.to)) continue;
    const stamp = k.algorithm === 4, time = stamp && sig.length === 72 ? sig.readBigUInt64BE() : 0n, signed = stamp ? `cosignature/v1\ntime ${time}\n${text}` : text;
    must(sig.length === (stamp ? 72 : 64) && time < 253402300800n && verifySignature(null, Buffer.from(signed), k.key, sig.subarray(stamp ? 8 : 0)), TAMPERED, `${where}: a trusted key's signature does not fit`);
    good.push(k);
  }
  must(good.some((k) => k.algorithm === 1), UNTRUSTED, `${where}: no trusted key has signed`);
  return { where, size, root, digits: lines[1], witnessed: good.some((k) => k.algorithm === 4) };
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
  if (!data) fail(INCOMPLETE, `${name}: missing`);
  else if (!want.equals(full ? data.subarray(0, want.length) : data)) fail(TAMPERED, `${name}: not the hashes of the records`);
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
const KEY = { key: is(/./), 'from?': isCount, 'to?': isCount };
const TRUST = { v: (v) => v === 1, origin: is(/./), keys: [KEY], 'witnesses?': (w) => Array.isArray(w) && (!w.length || fits(w, [KEY])) };
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
  const name = 'payloads/' + r.id, data = inBundle(name, 64 << 20, TAMPERED), { c = '', bytes } = r.payload ?? {}, salted = c.startsWith('hmac:');
  const salt = salted && inBundle(name + '.salt', 1024, TAMPERED);
  must(!salted || salt, INCOMPLETE, `${name}: the salt is missing`);
  const made = salted ? 'hmac:' + base32([Buffer.from('payload'), data].reduce(framed, createHmac('sha256', salt)).digest()) : digest(data);
  must(made === c && data.length === bytes && !(salted && salt.length < 16), TAMPERED, `${name}: not what its record commits to`);
}
function openProof(name) { // C2SP tlog-proof
  const data = inBundle(name, 72 << 10), m = /^c2sp\.org\/tlog-proof@v1\nindex (0|[1-9][0-9]{0,18})\n((?:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=\n){0,64})\n/.exec(data.toString('latin1'));
  must(m, MALFORMED, `${name}: not a proof`);
  const head = openCheckpoint(data.subarray(m[0].length), name), index = Number(m[1]);
  hold(head);
  must(index < head.size && index < signed.size, TAMPERED, `${name}: no such record`);
  proofs.push({ name, index, path: m[2].split('\n').slice(0, -1).map((line) => base64(line, name)), head });
}
function rootBy(path, hash, index, size) { // RFC 9162, section 2.1.3: the last hash of a path is that of the other half
  if (size === 1 || !path.length) return size === 1 && !path.length ? hash : Buffer.alloc(32);
  const half = 2 ** ((size - 1).toString(2).length - 1), rest = path.slice(0, -1), other = path.at(-1);
  return index < half ? nodeHash(rootBy(rest, hash, index, half), other) : nodeHash(other, rootBy(rest, hash, index - half, size - half));
}
function saw(control, run) { // counts the gaps between runs, which come in any order
  const c = runs.get(control) ?? { seen: new Set([0]), gaps: 0 };
  if (!c.seen.has(run)) c.gaps += 1 - c.seen.has(run - 1) - c.seen.has(run + 1);
  c.seen.add(run);
  lost ||= runs.set(control, c).size > 10000 || c.gaps > 1000; // more than the other verifier follows
}
function hold({ where, size, digits, root }) { // every checkpoint that is shown: the log has to lead to its root
  if (!roots.has(digits)) roots.set(digits, { root, where });
  else if (!roots.get(digits).root.equals(root)) fail(TAMPERED, `${where}: another log of the same size was signed`);
  if (size > signed.size) fail(INCOMPLETE, `${where}: the log ends before it`);
}
const isRewind = ({ control, facts: { reason, ...f } = {} }) => control === 'evidence-log' && reason === 'rewound' && [f.gone_root, f.kept_root].every(is(/^[0-9a-fA-F]{64}$/)) && is(/^\d{1,18}$/)(f.gone_size) && is(/^\d{1,18}$/)(f.kept_size) && Number(f.kept_size) === size;
const reach = (there) => { if (there && !rootOf(levels).equals(there.root)) fail(TAMPERED, `${there.where}: the records do not lead to its root`); };
let trust, signed, payloads, page, lost = false, size = 0, proofs = [], levels = [], roots = new Map(), runs = new Map();
function run() {
  must(statSync(bundle).isDirectory(), MALFORMED, 'the bundle is not a folder');
  trust = readTrust(readFileSync(flags.trust));
  hold(signed = openCheckpoint(inBundle('checkpoint', 64 << 10), 'checkpoint'));
  if (flags.strict && !signed.witnessed) fail(UNTRUSTED, 'checkpoint: no trusted witness');
  if (flags.since) hold(openCheckpoint(readFileSync(flags.since), '--since'));
  for (const name of list('checkpoints')) hold(openCheckpoint(inBundle('checkpoints/' + name, 64 << 10), name));
  payloads = new Set(list('payloads').filter((name) => !name.endsWith('.salt')));
  for (const name of list('proofs')) if (name.endsWith('.tlog-proof')) attempt(() => openProof('proofs/' + name));
  reach(roots.get(String(size)));
  for (const leaf of leavesOf(signed.size)) {
    for (const p of proofs) if (p.index === size && !rootBy(p.path, leafHash(leaf), size, p.head.size).equals(p.head.root)) fail(TAMPERED, `${p.name}: does not hold`);
    const r = attempt(() => parseRecord(leaf), `record ${size}: `);
    if (r && payloads.delete(r.id)) attempt(() => checkPayload(r));
    if (r?.kind === 'page' && r.control === 'trust-page') page = { index: size, ...r };
    if (r?.kind === 'gap' && isRewind(r)) console.log(`set back, accepted at ${r.source.collected} (${r.facts.why}): on from ${r.facts.kept_size}, gone is what led to ${r.facts.gone_size}`);
    if (r?.run) saw(`${r.control} ${r.facts?.mechanism ?? ''}`, r.run.seq); // mechanisms of one name count apart
    for (let level = 0, h = leafHash(leaf); h; level++) {
      const tile = (levels[level] ??= []), full = tile.push(h) === 256;
      if (full) compareTile(level, Math.floor(size / 256 ** (level + 1)), tile, levels[level] = []);
      h = full && subtree(tile);
    }
    reach(roots.get(String(++size)));
  }
  levels.forEach((tile, level) => { if (tile.length) compareTile(level, Math.floor(size / 256 ** (level + 1)), tile); });
  for (const id of payloads) fail(TAMPERED, `payloads/${id}: no record commits to it`);
  if (flags.strict && (lost || [...runs.values()].some((c) => c.gaps))) fail(INCOMPLETE, 'runs are missing');
  console.log(`${size} records of ${trust.origin}`);
  const data = inBundle('page.json', 32 << 20, PAGE), facts = page?.facts ?? {}, pageSize = /^-?\d+$/.test(facts.size) ? Number(facts.size) : -1;
  if (!page) return must(!data, PAGE, 'page.json: the log names no page');
  must(pageSize >= 0 && pageSize <= page.index && page.source.observed, PAGE, `record ${page.index}: names no page of the log before it`);
  must(data && digest(data) === facts.page, data ? PAGE : INCOMPLETE, 'page.json: not the page that the log names');
}
try { attempt(run); } catch (e) { console.error(e); process.exit(e.code === 'ENOENT' ? 64 : 70); }
process.exitCode = [TAMPERED, MALFORMED, INCOMPLETE, PAGE, UNTRUSTED].find((exit) => exits.has(exit)) ?? 0;
