package witness_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/memory"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/witness"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

const origin = "customer.example/ostiary/evidence"

var now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// key is a signing key that is the same in every run.
type key struct{ name, seed string }

func (k key) private() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(k.seed))
	return ed25519.NewKeyFromSeed(seed[:])
}

func (k key) Name() string { return k.name }
func (k key) Verifier(context.Context) (string, error) {
	return sign.VerifierKey(k.name, k.private().Public().(ed25519.PublicKey))
}
func (k key) Sign(_ context.Context, text []byte) ([]byte, error) {
	return ed25519.Sign(k.private(), text), nil
}
func (k key) Close() error { return nil }

var logKey, witnessKey, strange = key{origin, "log"}, key{"auditor.example/w1", "witness"}, key{origin, "strange"}

// tree is a log as its hashes.
type tree struct {
	hashes []tlog.Hash
	size   int64
}

func (r *tree) ReadHashes(indexes []int64) (found []tlog.Hash, err error) {
	for _, i := range indexes {
		found = append(found, r.hashes[i])
	}
	return found, nil
}

// grow makes a log of so many leaves; fork tells logs apart that share the first ones.
func grow(t testing.TB, size, shared int64, fork string) *tree {
	t.Helper()
	r := &tree{size: size}
	for i := range size {
		leaf := fmt.Sprint(i)
		if i >= shared {
			leaf += fork
		}
		more, err := tlog.StoredHashes(i, []byte(leaf), r)
		check(t, err)
		r.hashes = append(r.hashes, more...)
	}
	return r
}

func (r *tree) checkpoint(t testing.TB, k key) []byte {
	t.Helper()
	root := tlog.Hash(sha256.Sum256(nil))
	if r.size > 0 {
		var err error
		root, err = tlog.TreeHash(r.size, r)
		check(t, err)
	}
	note, err := sign.Note(t.Context(), sign.Checkpoint{Origin: origin, Size: r.size, Root: root}.Text(), k)
	check(t, err)
	return note
}

func (r *tree) prove(_ context.Context, from int64) (tlog.TreeProof, error) {
	return tlog.ProveTree(r.size, from, r)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func trust(t testing.TB) sign.Trust {
	t.Helper()
	v, err := logKey.Verifier(t.Context())
	check(t, err)
	w, err := witnessKey.Verifier(t.Context())
	check(t, err)
	w, err = sign.WitnessKey(w)
	check(t, err)
	return sign.Trust{V: 1, Origin: origin, Keys: []sign.TrustedKey{{Key: v}}, Witnesses: []sign.TrustedKey{{Key: w}}}
}

func config(t testing.TB) witness.Config {
	t.Helper()
	return witness.Config{Memory: memory.New(clock.System{}), Trust: trust(t), Signer: witnessKey}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	type step struct {
		log  *tree
		want witness.Verdict
	}
	honest := func(size int64) *tree { return grow(t, size, size, "") }
	tests := map[string][]step{
		"grows":              {{honest(3), witness.First}, {honest(3), witness.Same}, {honest(4), witness.Advanced}, {honest(300), witness.Advanced}},
		"from nothing":       {{honest(0), witness.First}, {honest(0), witness.Same}, {honest(7), witness.Advanced}},
		"rolled back":        {{honest(10), witness.First}, {honest(9), witness.Rollback}, {honest(10), witness.Same}, {honest(11), witness.Advanced}},
		"forked, as long":    {{honest(10), witness.First}, {grow(t, 10, 5, "x"), witness.Fork}, {honest(12), witness.Advanced}},
		"forked, and longer": {{honest(10), witness.First}, {grow(t, 20, 9, "x"), witness.Fork}, {grow(t, 20, 10, "x"), witness.Advanced}},
		"forked by the last": {{honest(10), witness.First}, {grow(t, 11, 9, "x"), witness.Fork}},
		"back to nothing":    {{honest(2), witness.First}, {honest(0), witness.Rollback}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config(t)
			for i, s := range steps {
				presented := s.log.checkpoint(t, logKey)
				d, err := witness.Cosign(t.Context(), c, presented, s.log.prove, now.Add(time.Duration(i)*time.Minute))
				check(t, err)
				if d.Verdict != s.want || d.Verdict.Refused() != (d.Cosigned == nil) {
					t.Fatalf("step %d: %s, want %s", i, d.Verdict, s.want)
				}
				if d.Verdict.Refused() {
					holdsBoth(t, c.Memory, d.Kept, presented)
					continue
				}
				v, err := c.Trust.Verify(d.Cosigned)
				check(t, err)
				if len(v.Witnesses) != 1 || !v.Witnesses[0].At.Equal(now.Add(time.Duration(i)*time.Minute)) || !strings.HasPrefix(string(d.Cosigned), string(presented)) {
					t.Errorf("step %d: cosigned as %s", i, d.Cosigned)
				}
			}
		})
	}
}

// holdsBoth looks for the proof of what was refused: two good checkpoints.
func holdsBoth(t *testing.T, m log.Objects, place string, refused []byte) {
	t.Helper()
	kept, err := m.Get(t.Context(), place+"/refused")
	check(t, err)
	if string(kept.Data) != string(refused) {
		t.Errorf("kept %s", kept.Data)
	}
	before, err := m.Get(t.Context(), place+"/cosigned")
	check(t, err)
	if v, err := trust(t).Verify(before.Data); err != nil || len(v.Witnesses) != 1 {
		t.Errorf("kept of before: %s", before.Data)
	}
}

// What is not a checkpoint of the log changes nothing: neither the memory nor what comes after.
func TestNoCheckpointOfTheLog(t *testing.T) {
	t.Parallel()
	c, honest := config(t), grow(t, 5, 5, "")
	_, err := witness.Cosign(t.Context(), c, honest.checkpoint(t, logKey), honest.prove, now)
	check(t, err)
	longer := grow(t, 9, 9, "")
	wrong := map[string]struct {
		note []byte
		is   error
	}{
		"another key":  {longer.checkpoint(t, strange), sign.ErrUntrusted},
		"prose":        {[]byte("trust me\n"), sign.ErrMalformed},
		"another text": {[]byte(strings.Replace(string(longer.checkpoint(t, logKey)), "\n9\n", "\n8\n", 1)), sign.ErrSignature},
	}
	for name, w := range wrong {
		if _, err := witness.Cosign(t.Context(), c, w.note, longer.prove, now); !errors.Is(err, w.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
	lost := fault.New(fault.NotFound, "a tile is missing")
	if _, err := witness.Cosign(t.Context(), c, longer.checkpoint(t, logKey), func(context.Context, int64) (tlog.TreeProof, error) { return nil, lost }, now); !fault.Is(err, fault.NotFound) {
		t.Errorf("no proof: %v", err)
	}
	d, err := witness.Cosign(t.Context(), c, longer.checkpoint(t, logKey), longer.prove, now)
	check(t, err)
	if d.Last != 5 || d.Verdict != witness.Advanced {
		t.Errorf("%+v", d)
	}
}

// Whatever order several processes of one witness get two logs in, all they cosign is of one of them.
func TestTwoLogsAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		c := config(t)
		start := grow(t, 4, 4, "")
		_, err := witness.Cosign(t.Context(), c, start.checkpoint(t, logKey), start.prove, now)
		check(t, err)
		var mu sync.Mutex
		roots := map[[32]byte]bool{}
		var wg sync.WaitGroup
		for _, fork := range []string{"x", "y", "z"} {
			wg.Go(func() {
				r := grow(t, 8, 4, fork)
				d, err := witness.Cosign(t.Context(), c, r.checkpoint(t, logKey), r.prove, now)
				if err != nil && !fault.Is(err, fault.Transient) {
					t.Error(err)
				}
				if err != nil || d.Cosigned == nil {
					return
				}
				v, err := c.Trust.Verify(d.Cosigned)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				roots[v.Root] = true
			})
		}
		wg.Wait()
		if len(roots) != 1 {
			t.Fatalf("%d logs of one size were cosigned", len(roots))
		}
	}
}

// failing is a memory whose writes fail, as if the process had died there.
type failing struct{ log.Objects }

func (failing) Swap(context.Context, string, []byte, int64) (int64, error) {
	return 0, fault.New(fault.Transient, "gone")
}

// What was not remembered is not given away.
func TestRememberedBeforeGivenAway(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Memory = failing{c.Memory}
	r := grow(t, 3, 3, "")
	if d, err := witness.Cosign(t.Context(), c, r.checkpoint(t, logKey), r.prove, now); err == nil || d.Cosigned != nil {
		t.Errorf("%+v, %v", d, err)
	}
}
