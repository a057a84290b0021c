package keeppromises

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/internal/evidence"
	"ostiary.internal/functions/trust/trustpage"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/memory"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/sign/file"
	"ostiary.internal/shared/trust/page/shelf"
	"ostiary.internal/shared/trust/promise"
)

const (
	name   = "keeppromises"
	origin = "sharedcontacts.example/ostiary/evidence"
)

// journal is a log, with the sequencer that writes it.
type journal struct {
	url       string
	inbox     log.Objects
	tiles     log.Objects
	head      log.Objects
	sequencer *log.Sequencer
	taken     map[string]bool
}

// world is the function, the trust page beside it, and the log both read.
type world struct {
	*functiontest.World
	*journal
	setup  functiontest.Setup
	signer sign.Signer
	trust  sign.Trust
	number int
}

var logs atomic.Int64 // logs in memory are found by name in the whole process

func newWorld(t testing.TB, policy map[string]string) *world {
	t.Helper()
	signer, err := file.New(filepath.Join(t.TempDir(), "key"), origin)
	must(t, err)
	verifier, err := signer.Verifier(t.Context())
	must(t, err)
	w := &world{signer: signer, trust: sign.Trust{V: sign.TrustVersion, Origin: origin, Keys: []sign.TrustedKey{{Key: verifier}}}}
	w.setup = functiontest.Setup{Functions: []wiring.Function{Function, trustpage.Function}, Policy: policy, Env: map[string]string{wiring.EnvIAM: "front", EnvProbes: "loopback"}}
	url := fmt.Sprintf("memory:keeppromises-%d", logs.Add(1))
	w.aim(t, url)
	w.World = functiontest.New(t, w.setup)
	w.journal = w.open(t, url)
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// aim lets the functions read another log from their next start on.
func (w *world) aim(t testing.TB, url string) {
	t.Helper()
	trust, err := w.trust.Encode()
	must(t, err)
	maps.Copy(w.setup.Env, map[string]string{evidence.EnvTiles: url + "-tiles", evidence.EnvHead: url + "-head", evidence.EnvTrust: string(trust)})
}

// open opens a log that this world's key signs.
func (w *world) open(t testing.TB, url string) *journal {
	t.Helper()
	j := &journal{url: url, inbox: memory.New(w.Clock), taken: map[string]bool{}}
	var err error
	for suffix, into := range map[string]*log.Objects{"-tiles": &j.tiles, "-head": &j.head} {
		*into, err = log.Stores.Open(t.Context(), url+suffix, log.Options{Clock: w.Clock})
		must(t, err)
	}
	j.sequencer = w.sequence(t, j)
	return j
}

// sequence is a sequencer that knows nothing yet of a log.
func (w *world) sequence(t testing.TB, j *journal) *log.Sequencer {
	t.Helper()
	s, err := log.New(log.Config{Inbox: j.inbox, Tiles: j.tiles, Head: j.head, Origin: origin, Signers: []sign.Signer{w.signer}, Writers: recordtest.Writers(), Clock: w.Clock})
	must(t, err)
	return s
}

// say puts a record about the moment into the log's inbox.
func (w *world) say(t testing.TB, kind record.Kind, control string, state record.State, promises ...string) record.Record {
	t.Helper()
	w.number++
	r := record.New(kind, control, strconv.Itoa(w.number), promises...)
	r.Source.Observed, r.Source.Collected, r.Result.State = w.Clock.Now(), w.Clock.Now(), state
	if kind == record.Run {
		r.Run, r.Population, r.Expires = int64(w.number), &record.Population{Expected: 1, Seen: 1}, w.Clock.Now().Add(20*time.Minute)
	}
	w.hand(t, r)
	return r
}

func (w *world) hand(t testing.TB, r record.Record) {
	t.Helper()
	data, err := r.Canonical()
	must(t, err)
	_, err = w.inbox.Create(t.Context(), recordtest.Place+r.ID(), data)
	must(t, err)
}

// seal takes what the functions recorded, and what was said, into the log.
func (w *world) seal(t testing.TB) {
	t.Helper()
	for id, r := range w.Records(t) {
		if !w.taken[id] {
			w.taken[id] = true
			w.hand(t, r)
		}
	}
	_, err := w.sequencer.Run(t.Context())
	must(t, err)
}

// minute lets a minute pass: the log grows, and the function runs.
func (w *world) minute(t testing.TB) functiontest.Answer {
	t.Helper()
	w.Advance(t, time.Minute)
	w.seal(t)
	return w.Tick(t, name)
}

func (w *world) good(t testing.TB) {
	t.Helper()
	w.minute(t).Want(t, 204, "")
}

// leaves reads the log, verified.
func (w *world) leaves(t testing.TB) (all []record.Record, head log.Checkpoint) {
	t.Helper()
	reader := log.NewReader(w.tiles, log.Head(w.head), w.trust)
	head, err := reader.Checkpoint(t.Context())
	must(t, err)
	must(t, reader.Entries(t.Context(), 0, head.Size, func(_ int64, leaf []byte) error {
		r, err := record.Parse(leaf)
		all = append(all, r)
		return err
	}))
	return all, head
}

// newest is the newest page, as everybody reads it.
func (w *world) newest(t testing.TB) (promise.Snapshot, []byte) {
	t.Helper()
	a := w.Call(t, functiontest.Request{Method: "GET", Path: "/trustpage/v1/promises.json"}).Want(t, 200, "")
	var s promise.Snapshot
	a.Decode(t, &s)
	return s, a.Body
}

// state is what the newest page says of a promise.
func (w *world) state(t testing.TB, id string) record.State {
	t.Helper()
	s, _ := w.newest(t)
	i := slices.IndexFunc(s.Promises, func(r promise.Row) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("the page does not tell of %s", id)
	}
	return s.Promises[i].State
}

func (w *world) of(t testing.TB, kind record.Kind) []record.Record {
	t.Helper()
	var found []record.Record
	for _, r := range w.Records(t) {
		if r.Kind == kind {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b record.Record) int { return a.Source.Collected.Compare(b.Source.Collected) })
	return found
}

// runs are the runs of which the function says that it followed the log.
func (w *world) runs(t testing.TB) []record.Record {
	t.Helper()
	return slices.DeleteFunc(w.of(t, record.Run), func(r record.Record) bool { return r.Control != check })
}

// proven computes every page on record again from the log and the register alone, as a stranger does, and holds it
// against the bytes on the shelf. The newest page on the shelf must be one of them.
func (w *world) proven(t testing.TB) (pages int) {
	t.Helper()
	all, _ := w.leaves(t)
	on := shelf.New(w.Raw("trust"))
	newest, err := on.Newest(t.Context())
	must(t, err)
	found := false
	size := func(r record.Record) int {
		n, err := strconv.Atoi(r.Facts["size"])
		must(t, err)
		return n
	}
	made := w.of(t, record.Page)
	slices.SortStableFunc(made, func(a, b record.Record) int { return size(a) - size(b) })
	folded := map[string]*replay{} // by register: what lies before one page lies before the next
	for _, r := range made {
		digest := r.Facts["page"]
		found = found || digest == newest.Digest
		shown, err := on.Read(t.Context(), digest)
		must(t, err)
		_, register, _ := strings.Cut(string(shown), `"register":"`)
		register, _, _ = strings.Cut(register, `"`)
		if folded[register] == nil {
			folded[register] = newReplay(t, on, register)
		}
		if again := folded[register].page(t, all[:size(r)], r.Source.Observed); !bytes.Equal(again, shown) {
			t.Fatalf("the page of %s from %d leaves is another when it is computed again:\n%.300s\n%.300s", r.Source.Observed, size(r), again, shown)
		}
		pages++
	}
	if !found {
		t.Error("the newest page is not on record")
	}
	return pages
}

// replay is the log as a stranger folds it, who has the register and the leaves.
type replay struct {
	ledger *promise.Ledger
	tree   log.Tree
}

func newReplay(t testing.TB, on *shelf.Shelf, register string) *replay {
	t.Helper()
	text, err := on.Read(t.Context(), register)
	must(t, err)
	read, err := promise.ReadRegister(text)
	must(t, err)
	return &replay{ledger: promise.NewLedger(read)}
}

// page computes the page of leaves, which begin with those of the page before.
func (p *replay) page(t testing.TB, leaves []record.Record, at time.Time) []byte {
	t.Helper()
	for _, r := range leaves[p.ledger.Size():] {
		must(t, p.ledger.Add(p.ledger.Size(), r))
		data, err := r.Canonical()
		must(t, err)
		p.tree.Append(tlog.RecordHash(data))
	}
	root := log.Checkpoint{}
	root.Root = p.tree.Root()
	return promise.Snap(p.ledger, origin, p.ledger.Size(), evidence.Root(root), at).Canonical()
}

// another is one more instance beside the running one.
func (w *world) another(t testing.TB) *keeppromises {
	t.Helper()
	k, err := start(context.WithoutCancel(t.Context()), w.Deps(name))
	must(t, err)
	return k
}
