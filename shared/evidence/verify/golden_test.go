package verify_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
	"ostiary.internal/shared/trust/recompute"
)

var update = flag.Bool("update", false, "write the bundles of testdata/evidence/v1 anew")

// house is a small policy.
func house() promise.Register {
	one := func(id, text string, m policy.Mechanism, ref string) policy.Promise {
		return policy.Promise{ID: id, Text: policy.Text{EN: text}, Check: ref, Severity: policy.High, KeptBy: []policy.Keeper{{Mechanism: m, Refs: []string{ref}}}, MaxAge: calendar.Period{Days: 30}}
	}
	p := &policy.Policy{Digest: strings.Repeat("5", 64), Company: policy.Company{Name: "Customer", Languages: []string{"en"}}}
	p.Promises = []policy.Promise{
		one("P1", "Only listed addresses reach the live system.", policy.Records, "ip-allowlist"),
		one("P2", "Backups are at most an hour old.", policy.Records, "backup-freshness"),
		one("P3", "Nobody signs in without a second factor.", policy.Records, "otp-gate"),
		one("P4", "Buildings are locked.", policy.Certificate, "iso-27001"),
	}
	return promise.NewRegister(p, nil)
}

// story is the log of the golden bundle: 32 hours of two controls, one that fell silent, a finding that was closed, a
// payload of each sort, one that was erased, and two pages.
func story(t testing.TB) (leaves [][]byte, page []byte) {
	t.Helper()
	add := func(kind record.Kind, control, event string, at time.Time, change func(r *record.Record), promises ...string) string {
		r := record.New(kind, control, event, promises...)
		r.Source.Type, r.Source.Observed, r.Source.Collected = "scheduler", at, at.Add(1500*time.Millisecond)
		change(&r)
		leaves = append(leaves, leaf(t, r))
		return r.ID()
	}
	passes := int64(0)
	show := func(at time.Time) { // soon after a sign of life of the log: without one, nothing is known to hold
		passes++
		add(record.Run, promise.LogControl, at.String(), at.Add(-30*time.Second), func(r *record.Record) {
			r.Run, r.Population, r.Expires = passes, &record.Population{Expected: 150, Seen: 150}, at.Add(20*time.Minute)
		})
		page = pageAt(t, leaves, at)
		leaves = append(leaves, pageRecord(t, len(leaves), page, at))
	}
	var finding string
	for quarter := range 128 {
		at := began.Add(time.Duration(quarter) * 15 * time.Minute)
		for i, control := range []string{"ip-allowlist", "backup-freshness", "otp-gate"} {
			if control == "otp-gate" && quarter >= 28 {
				continue
			}
			add(record.Run, control, at.String(), at, func(r *record.Record) {
				r.Run, r.Population, r.Expires = int64(quarter+1), &record.Population{Expected: 3, Seen: 3}, at.Add(25*time.Minute)
				if control == "backup-freshness" {
					r.Result = record.Result{State: record.Kept, Metric: "rpo_s", Value: int64(900 + quarter), Op: "<=", Limit: 3600}
				}
			}, fmt.Sprint("P", i+1))
		}
		switch quarter {
		case 10:
			finding = add(record.Finding, "ip-allowlist", "foreign", at, func(r *record.Record) {
				r.Result.State, r.Payload = record.Violation, record.Payload{C: record.Digest(sealed), Bytes: int64(len(sealed))}
			}, "P1")
		case 14:
			add(record.Remediation, "ip-allowlist", "healed", at, func(r *record.Record) {
				r.Result.State, r.Refs = record.Pass, []record.Ref{{Rel: "closes", ID: finding}}
				r.Payload = record.Payload{C: record.Commitment(grains, "payload", string(sealed)), Bytes: int64(len(sealed))}
			}, "P1")
		case 20:
			add(record.Attestation, "iso-27001", "filed", at, func(r *record.Record) {
				r.Result.State, r.Expires, r.Method = record.Inherited, at.AddDate(0, 6, 0), record.Examine
			}, "P4")
			add(record.Erasure, "vault", "erased", at, func(r *record.Record) {
				r.Refs, r.Facts = []record.Ref{{Rel: "erases", ID: finding}}, map[string]string{"ground": "gdpr-17-1-b", "state": "pending"}
			})
			show(at.Add(time.Minute))
		case 126:
			show(at.Add(time.Minute))
		}
	}
	return leaves, page
}

var sealed, grains = []byte("sealed for the vault, not readable here"), bytes.Repeat([]byte("salt"), 8)

// pageAt computes the page over leaves with the same rule.
func pageAt(t testing.TB, leaves [][]byte, at time.Time) []byte {
	t.Helper()
	page, err := recompute.Page(verify.Basis{Register: house().Canonical(), Origin: origin, Size: int64(len(leaves)), At: at, Root: rootOf(t, leaves), Leaves: recordsOf(leaves)})
	check(t, err)
	return page
}

func pageRecord(t testing.TB, size int, page []byte, at time.Time) []byte {
	t.Helper()
	r := record.New(record.Page, promise.PageControl, at.String())
	r.Source.Observed, r.Source.Collected = at, at
	r.Facts = map[string]string{"page": record.Digest(page), "size": strconv.Itoa(size)}
	return leaf(t, r)
}

// golden makes all files of the vectors.
func golden(t testing.TB) files {
	t.Helper()
	leaves, page := story(t)
	f := bundle(t, leaves)
	f["page.json"], f["register.json"] = page, house().Canonical()
	f["checkpoints/100"] = signed(t, leaves[:100], logKey)
	for _, l := range leaves {
		if r, err := record.Parse(l); err == nil && r.Payload.Bytes > 0 {
			f["payloads/"+r.ID()] = sealed
			if strings.HasPrefix(r.Payload.C, "hmac:") {
				f["payloads/"+r.ID()+".salt"] = grains
			}
		}
	}
	for _, index := range []int64{0, 200, int64(len(leaves) - 1)} {
		proof, err := verify.Reader(f.source(), f["checkpoint"], trust(t)).LogProof(t.Context(), index)
		check(t, err)
		f[fmt.Sprintf("proofs/%d.tlog-proof", index)] = proof
	}
	trusted, err := trust(t).Encode()
	check(t, err)
	f["trust.json"] = trusted
	out := files{"trust.json": trusted}
	for name, data := range f {
		out["bundle/"+name] = data
	}
	variants := variants(t, f, leaves)
	maps.Copy(variants, proofVariants(t, f, leaves))
	for name, data := range variants {
		out["edits/"+name] = data
	}
	for name, data := range oddFiles(t) {
		out["logs/"+name] = data
	}
	return out
}

// variants are the files that only whoever holds a key can make.
func variants(t testing.TB, f files, leaves [][]byte) files {
	t.Helper()
	out := files{
		"another-key.checkpoint": resigned(t, f["checkpoint"], strangeKey),
		"no-witness.checkpoint":  resigned(t, f["checkpoint"], logKey),
		"longer.checkpoint":      signed(t, slices.Concat(leaves, leaves), logKey),
		"shorter.checkpoint":     signed(t, leaves[:50], logKey),
		"forked.checkpoint":      signed(t, leaves[1:51], logKey),
	}
	other := trust(t)
	other.Keys[0].Key = strangeKey.verifier(t)
	data, err := other.Encode()
	check(t, err)
	out["another-key.trust.json"] = data
	both := trust(t)
	both.Keys[0].To = 120
	both.Keys = append(both.Keys, sign.TrustedKey{Key: nextKey.verifier(t), From: 90})
	data, err = both.Encode()
	check(t, err)
	out["rotated.trust.json"] = data
	for name, text := range trustVariants(t, string(f["trust.json"])) {
		out[name] = []byte(text)
	}
	for name, at := range map[string]uint64{"witness-at-the-end": 253402300799, "witness-beyond-time": 253402300800, "witness-beyond-62-bits": 1 << 62} {
		out[name+".checkpoint"] = cosignedAt(t, resigned(t, f["checkpoint"], logKey), at)
	}
	out["rotated.checkpoint"] = resigned(t, f["checkpoint"], nextKey)
	// A log that was honestly kept, and a page that was not: it tells that a silent control is fine.
	at := began.Add(126*15*time.Minute + 2*time.Minute)
	lie := bytes.Replace(f["page.json"], []byte(`"state":"unknown"`), []byte(`"state":"kept"`), 1)
	for name, data := range bundle(t, append(slices.Clone(leaves), pageRecord(t, len(leaves), lie, at))) {
		if _, same := f[name]; !same || name == "checkpoint" {
			out["lie/"+name] = data
		}
	}
	out["lie/page.json"] = lie
	return out
}

// A case is one way to meet the bundle, and how a verifier has to end.
type vectorCase struct {
	Name   string `json:"name"`
	Exit   int    `json:"exit"`
	NoPage *int   `json:"exit_without_recomputing,omitempty"` // of a verifier that does not compute the states again
	Strict bool   `json:"strict,omitempty"`
	Bundle string `json:"bundle,omitempty"` // instead of bundle
	Trust  string `json:"trust,omitempty"`  // instead of trust.json
	Since  string `json:"since,omitempty"`
	Edits  []edit `json:"edits,omitempty"`
}

// An edit changes a file of a copy of the bundle: flip the lowest bit of the byte at At; swap the first two entries;
// cut the file to At bytes; remove it; write Text; put a file of edits/ in its place; make it a link to Text, or a folder.
type edit struct {
	Op   string `json:"op"`
	File string `json:"file"`
	At   int    `json:"at,omitempty"`
	Text string `json:"text,omitempty"`
	From string `json:"from,omitempty"`
}

func (e edit) apply(t testing.TB, dir string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(e.File))
	switch e.Op {
	case "remove":
		check(t, os.Remove(path))
		return
	case "link":
		check(t, os.RemoveAll(path))
		check(t, os.Symlink(e.Text, path))
		return
	case "folder":
		check(t, os.RemoveAll(path))
		check(t, os.MkdirAll(path, 0o700))
		return
	}
	data, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		check(t, err)
	}
	one := files{e.File: data}
	switch e.Op {
	case "flip":
		flip(one, e.File, e.At)
	case "swap":
		swap(one, e.File)
	case "cut":
		one[e.File] = data[:e.At]
	case "write":
		one[e.File] = []byte(e.Text)
	case "put":
		one[e.File], err = os.ReadFile(vectors + "/edits/" + e.From)
		check(t, err)
	default:
		t.Fatalf("there is no edit %q", e.Op)
	}
	check(t, os.MkdirAll(filepath.Dir(path), 0o700))
	check(t, os.WriteFile(path, one[e.File], 0o600))
}

// The files are what this code makes, byte for byte: whoever changes the format has to say so.
func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	made := golden(t)
	for _, folder := range []string{"bundle", "edits", "logs"} {
		if *update {
			check(t, os.RemoveAll(filepath.Join(vectors, folder)))
		}
	}
	for name, data := range made {
		path := filepath.Join(vectors, filepath.FromSlash(name))
		if *update {
			check(t, os.MkdirAll(filepath.Dir(path), 0o755))
			check(t, os.WriteFile(path, data, 0o644))
		}
		kept, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(kept, data) {
			t.Errorf("%s is not what is made now (%v)", name, err)
		}
	}
}

func cases(t testing.TB) []vectorCase {
	t.Helper()
	data, err := os.ReadFile(vectors + "/cases.json")
	check(t, err)
	var list []vectorCase
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	check(t, decoder.Decode(&list))
	if len(list) < 30 {
		t.Fatalf("%d cases", len(list))
	}
	return list
}

// Two verifiers that share no code end alike on every case.
func TestGoldenCases(t *testing.T) {
	t.Parallel()
	node := second(t)
	for _, c := range cases(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			check(t, os.CopyFS(dir, os.DirFS(filepath.Join(vectors, cmp.Or(c.Bundle, "bundle")))))
			for _, e := range c.Edits {
				e.apply(t, dir)
			}
			trusted := vectors + "/trust.json"
			if c.Trust != "" {
				trusted = filepath.Join(vectors, c.Trust)
			}
			if got, why := byGo(t, dir, trusted, c); got != c.Exit {
				t.Errorf("this verifier: exit %d, want %d: %v", got, c.Exit, why)
			}
			want := c.Exit
			if c.NoPage != nil {
				want = *c.NoPage
			}
			if node == nil {
				return
			}
			if got, why := byNode(t, node, dir, trusted, c); got != want {
				t.Errorf("node: exit %d, want %d: %s", got, want, why)
			}
		})
	}
}

func byGo(t testing.TB, dir, trusted string, c vectorCase) (int, []verify.Failure) {
	t.Helper()
	data, err := os.ReadFile(trusted)
	check(t, err)
	o := verify.Options{Recompute: recompute.Page, Strict: c.Strict}
	if o.Trust, err = sign.ReadTrust(data); err != nil {
		return verify.Malformed.Exit(), nil
	}
	if c.Since != "" {
		o.Since, err = os.ReadFile(filepath.Join(vectors, c.Since))
		check(t, err)
	}
	root, err := os.OpenRoot(dir)
	check(t, err)
	defer root.Close()
	r := run(t, verify.FS(root.FS()), o)
	return r.Exit, r.Failures
}

func byNode(t testing.TB, node *nodeVerifier, dir, trusted string, c vectorCase) (int, string) {
	t.Helper()
	args := []string{dir, "--trust", trusted}
	if c.Since != "" {
		args = append(args, "--since", filepath.Join(vectors, c.Since))
	}
	if c.Strict {
		args = append(args, "--strict")
	}
	return node.exit(t, args...)
}
