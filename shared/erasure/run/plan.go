package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Names of the phases in stored tasks.
const (
	planning  = "plan"
	erasing   = "erase"
	searching = "search"
)

// Entry is what there is, or was, in one entry of the data map. It holds nothing of a person but numbers.
type Entry struct {
	ID     string         `json:"id"`
	Region string         `json:"region"`
	Action datamap.Action `json:"action"`
	Count  Count          `json:"count"`
	// Why says in a word why it could not be searched: missing, denied, refused, unreachable, region (another than this deployment's), changing; after_… of an
	// entry that comes before.
	Why string `json:"why,omitempty"`
	// Whole says that fields are held which cannot be kept without the rest of their item.
	Whole bool `json:"whole,omitempty"`
}

// Plan is what a search found, entry by entry.
type Plan struct {
	Map      string         `json:"map"`     // digest of the data map
	Subject  string         `json:"subject"` // commitment to the identifiers
	Entries  []Entry        `json:"entries"`
	Lost     []request.Open `json:"lost,omitempty"`     // entries whose identifiers, owners or places could not be read
	Unasked  []string       `json:"unasked,omitempty"`  // entries in which no identifier of hers can be searched
	Unmapped []string       `json:"unmapped,omitempty"` // places that nobody has mapped, the first of them
	Missing  int64          `json:"missing,omitempty"`  // how many there are
	Forward  []string       `json:"forward,omitempty"`  // entries for which the tenant answers
	Share    int            `json:"share,omitempty"`    // percent of the tenant's items, rounded up; 0 where nobody asked
	Owner    bool           `json:"owner,omitempty"`    // the person is an owner of the tenant
	Last     bool           `json:"last,omitempty"`     // and there is no other
}

// Digest is the SHA-256, in hex, of the plan of one round of a request: what is approved. Whose data it is about is part
// of it, and cannot be read from it.
func (p Plan) Digest(j Job) (string, error) {
	text, err := json.Marshal(struct {
		Request string `json:"request"`
		Round   int    `json:"round"`
		Tenant  string `json:"tenant"`
		Scope   Scope  `json:"scope"`
		Global  bool   `json:"global"`
		Holds   []Hold `json:"holds"`
		Plan    Plan   `json:"plan"`
		Besides string `json:"besides,omitempty"`
	}{j.Request, j.Round, j.Tenant, j.Scope, j.Global, j.Holds, p, j.Besides})
	if err != nil {
		return "", fault.New(fault.Invalid, "digesting a plan: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Summary is the plan by number alone.
func (p Plan) Summary(digest string) *request.Plan {
	s := &request.Plan{Digest: digest, Map: p.Map, Share: p.Share, Missing: p.Missing, Theirs: len(p.Forward) > 0, Owner: p.Owner, Last: p.Last}
	dark := map[string]bool{} // entries of which nobody has seen everything
	for _, e := range p.Entries {
		s.Items += e.Count.Left
		s.Held += e.Count.Held
		s.Kept += e.Count.Kept
		s.Review += e.Count.Review
		s.Own = s.Own || e.Count.Found > 0 || e.Why != "" // what could not be searched may hold something
		if e.Why != "" {
			dark[e.ID] = true
		}
		if e.Count.Review > 0 {
			s.Look = append(s.Look, request.Look{Entry: e.ID, Items: e.Count.Review, Set: e.Count.Set})
		}
	}
	for _, o := range p.Lost {
		dark[o.Entry] = true
	}
	for _, id := range p.Unasked {
		dark[id] = true
	}
	s.Own, s.Blind = s.Own || len(p.Lost) > 0, int64(len(dark))
	return s
}

// Plan searches for everything that is the job's, with the account that only reads, until the time is over. Not done, it is
// called again. Errors are Transient (ErrLater among them), those of Job.Still, or say that the data map or the identifiers
// are no good (Invalid, Misconfigured, Exhausted).
func (e *Engine) Plan(ctx context.Context, j Job, until time.Time) (p Plan, done bool, err error) {
	k, done, err := e.identify(ctx, j, planning, until)
	if err != nil || !done {
		return p, false, err
	}
	if k.Plan != nil {
		return *k.Plan, true, nil
	}
	all, steps, done, err := e.search(ctx, j, k, planning, until)
	if err != nil || !done {
		return p, false, err
	}
	found, done, err := e.places(ctx, j, steps, planning, until)
	if err != nil || !done {
		return p, false, err
	}
	p = Plan{Map: e.Map.Digest(), Entries: entries(steps, all), Lost: slices.Concat(k.Lost, e.letters(j, k), found.lost), Unmapped: found.names, Missing: found.missing, Owner: k.Owner, Last: k.Last}
	if p.Subject, err = k.commitment(); err != nil {
		return p, false, err
	}
	p.Unasked = e.unasked(j, k)
	if j.Scope == Person {
		p.Forward = e.Map.Forward(k.IDs)
	}
	if p.Share, done, err = e.share(ctx, j, p, until); err != nil || !done {
		return p, false, err
	}
	k.Plan = &p
	return p, true, e.planned(ctx, j, k)
}

// planned keeps the plan of a round: what is approved has to be what is carried out.
func (e *Engine) planned(ctx context.Context, j Job, k known) error {
	id := snapshotID(j, planning)
	sealed, err := e.sealed(ctx, j, id, k)
	if err != nil {
		return err
	}
	return e.Store.Tx(ctx, func(tx store.Tx) error {
		var newest snapshot
		if err := tx.Get(jobs, j.Request, &newest); err != nil {
			return err
		}
		newest.Planned = max(newest.Planned, j.Round)
		newest.Rev++
		if err := tx.Put(jobs, j.Request, newest); err != nil {
			return err
		}
		return tx.Put(jobs, id, snapshot{V: version, Request: j.Request, Rev: 1, Round: j.Round, Known: sealed})
	})
}

// Approved returns the digest of the newest plan as the engine has it on record, for what it will search for: compare it with
// what was approved. "" where there is none.
func (e *Engine) Approved(ctx context.Context, j Job) (string, error) {
	k, round, err := e.newest(ctx, j)
	if err != nil || k.Plan == nil {
		return "", err
	}
	j.Round = round
	p := *k.Plan
	if p.Subject, err = k.commitment(); err != nil {
		return "", err
	}
	j.Holds, p.Map = k.Holds, e.Map.Digest()
	return p.Digest(j)
}

// newest is what was known for the newest plan, and its round. Without a Plan there is none.
func (e *Engine) newest(ctx context.Context, j Job) (k known, round int, err error) {
	_, newest, found, err := e.recall(ctx, j, j.Request)
	if err != nil || !found {
		return known{}, 0, err
	}
	j.Round = newest.Planned
	k, _, _, err = e.recall(ctx, j, snapshotID(j, planning))
	return k, j.Round, err
}

// unasked are entries of the job's role that nobody could ask about her; of an account, which is found without asking, those of
// no tenant. Where stores were asked for the identifiers of an entry and had none, there is nothing to ask it for.
func (e *Engine) unasked(j Job, k known) []string {
	role := j.role()
	if j.Scope == Account {
		role = datamap.Controller
	}
	ids := slices.Clone(k.IDs)
	for _, kind := range k.Asked {
		ids = append(ids, datamap.Identifier{Kind: kind, Value: "asked-for", Verified: true})
	}
	return slices.DeleteFunc(e.Map.Unasked(role, ids), func(id string) bool {
		entry, _ := e.Map.Entry(id)
		return entry.Tenant.Global != "" && !j.Global || entry.Tenant.Global == "" && j.Scope == Account
	})
}

// search walks all steps with the account that only reads.
func (e *Engine) search(ctx context.Context, j Job, k known, phase string, until time.Time) ([]task, []step, bool, error) {
	steps, err := e.steps(ctx, j, k)
	if err != nil {
		return nil, nil, false, err
	}
	w := &walk{Engine: e, job: j, known: k, phase: phase, until: until}
	w.page = w.look
	all, done, err := w.walk(ctx, steps)
	for i := range steps {
		w.inside(&steps[i]) // also of those that were done before
	}
	return all, steps, done, err
}

// entries adds up the steps of each entry.
func entries(steps []step, all []task) []Entry {
	var list []Entry
	for i, s := range steps {
		at := slices.IndexFunc(list, func(e Entry) bool { return e.ID == s.Entry.ID })
		if at < 0 {
			at = len(list)
			list = append(list, Entry{ID: s.Entry.ID, Region: s.Region, Action: s.Entry.Action})
		}
		e := &list[at]
		e.Count.add(all[i].Count)
		e.Whole = e.Whole || s.whole
		if e.Why == "" {
			e.Why = all[i].Why
		}
	}
	return list
}
