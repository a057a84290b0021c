package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
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
	Why    string         `json:"why,omitempty"` // it could not be searched: missing, denied, refused, unreachable, changing, after_…
}

// Plan is what a search found, entry by entry.
type Plan struct {
	Map      string   `json:"map"` // digest of the data map
	Entries  []Entry  `json:"entries"`
	Unasked  []string `json:"unasked,omitempty"`  // entries in which no identifier of hers can be searched
	Unmapped []string `json:"unmapped,omitempty"` // places that nobody has mapped
	Forward  []string `json:"forward,omitempty"`  // entries for which the tenant answers
	Share    int      `json:"share,omitempty"`    // percent of the tenant's items, rounded up; 0 where nobody asked
}

// Digest is the SHA-256, in hex, of the plan of one request: what is approved.
func (p Plan) Digest(j Job) (string, error) {
	text, err := json.Marshal(struct {
		Request string `json:"request"`
		Tenant  string `json:"tenant"`
		Scope   Scope  `json:"scope"`
		Plan    Plan   `json:"plan"`
	}{j.Request, j.Tenant, j.Scope, p})
	if err != nil {
		return "", fault.New(fault.Invalid, "digesting a plan: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Summary is the plan by number alone.
func (p Plan) Summary(digest string) *request.Plan {
	s := &request.Plan{Digest: digest, Map: p.Map, Share: p.Share, Missing: int64(len(p.Unmapped)), Theirs: len(p.Forward) > 0}
	for _, e := range p.Entries {
		s.Items += e.Count.Left
		s.Held += e.Count.Held
		s.Kept += e.Count.Kept
		s.Review += e.Count.Review
		s.Own = s.Own || e.Count.Found > 0 || e.Why != "" // what could not be searched may hold something
	}
	return s
}

// Plan searches for everything that is the job's, with the account that only reads, until the time is over. Not done, it is
// called again. Errors are Transient, or say that the data map or the identifiers are no good (Invalid, Misconfigured,
// Exhausted).
func (e *Engine) Plan(ctx context.Context, j Job, until time.Time) (p Plan, done bool, err error) {
	ids, err := e.identify(ctx, j, true)
	if err != nil {
		return p, false, err
	}
	all, steps, done, err := e.search(ctx, j, ids, planning, until)
	if err != nil || !done {
		return p, false, err
	}
	p = Plan{Map: e.Map.Digest(), Entries: entries(steps, all)}
	if j.Scope == Person {
		p.Unasked, p.Forward = e.Map.Unasked(ids), e.Map.Forward(ids)
	}
	if p.Unmapped, err = e.unmapped(ctx); err != nil {
		return p, false, err
	}
	p.Share, err = e.share(ctx, j, p)
	return p, err == nil, err
}

// search walks all steps with the account that only reads.
func (e *Engine) search(ctx context.Context, j Job, ids []datamap.Identifier, phase string, until time.Time) ([]task, []datamap.Step, bool, error) {
	steps, err := e.steps(j, ids)
	if err != nil {
		return nil, nil, false, err
	}
	if err := e.sparing(ctx, j, ids, steps); err != nil {
		return nil, nil, false, err
	}
	w := &walk{Engine: e, job: j, phase: phase, until: until}
	w.page = w.look
	all, done, err := w.walk(ctx, steps)
	return all, steps, done, err
}

// sparing leaves to a person who came later, with an address or number that was the requester's, what is hers.
func (e *Engine) sparing(ctx context.Context, j Job, ids []datamap.Identifier, steps []datamap.Step) error {
	if j.Executed.IsZero() || !slices.ContainsFunc(steps, func(s datamap.Step) bool { return s.Reusable }) {
		return nil
	}
	newer, err := e.returned(ctx, j, ids)
	if err != nil || !newer {
		return err
	}
	for i := range steps {
		if steps[i].Reusable {
			steps[i].Query.CreatedBefore = j.Executed
		}
	}
	return nil
}

// returned reports whether the directory knows somebody by one of the identifiers again. Somebody of whom it cannot be
// told since when she is there counts as one who came later.
func (e *Engine) returned(ctx context.Context, j Job, ids []datamap.Identifier) (bool, error) {
	for _, id := range ids {
		kind, _ := e.Map.Kind(id.Kind)
		if kind.Normalise != datamap.AsEmail || !id.Verified {
			continue
		}
		l, err := e.Map.OnFile(j.Tenant, id.Value)
		if fault.Is(err, fault.NotFound) {
			return true, nil // nobody can be asked
		} else if err != nil {
			return false, err
		}
		reader, err := e.Reader(ctx, l.Reader)
		if err != nil {
			return false, err
		}
		page, err := reader.Find(ctx, l.Query, "", erasure.MaxPage)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(page.Items, func(i erasure.Item) bool { return i.Created.IsZero() || !i.Created.Before(j.Executed) }) {
			return true, nil
		}
	}
	return false, nil
}

func entries(steps []datamap.Step, all []task) []Entry {
	list := make([]Entry, len(steps))
	for i, s := range steps {
		list[i] = Entry{ID: s.Entry.ID, Region: s.Region, Action: s.Entry.Action, Count: all[i].Count, Why: all[i].Why}
	}
	return list
}

// mostPlaces is how many places of one store are compared with the map.
const mostPlaces = 2_000

// unmapped returns the places of all stores that the map does not know.
func (e *Engine) unmapped(ctx context.Context) ([]string, error) {
	found := map[string][]string{}
	for _, url := range e.Map.Stores() {
		reader, err := e.Reader(ctx, url)
		if err != nil {
			return nil, err
		}
		places, err := reader.Places(ctx, mostPlaces)
		if err != nil {
			return nil, err
		}
		found[url] = places
	}
	return e.Map.Unmapped(found), nil
}

// share returns how much of its tenant's items a plan would erase, in percent, where that decides whether a person has
// to look. It reads no more than needed to tell that it is less than the limit, which it then answers with 0.
func (e *Engine) share(ctx context.Context, j Job, p Plan) (int, error) {
	limit, items := int64(e.Map.Limits.TenantPercent), p.Summary("").Items
	if j.Scope == Account || limit == 0 || items == 0 || items > int64(e.Map.Limits.AutoApproveItems) {
		return 0, nil
	}
	steps, err := e.Map.Close(j.Tenant)
	if err != nil {
		return 0, err
	}
	var total int64
	for _, s := range steps {
		reader, err := e.Reader(ctx, s.Reader)
		if err != nil {
			return 0, err
		}
		for cursor := ""; ; {
			page, err := reader.Find(ctx, s.Query, cursor, erasure.MaxPage)
			if fault.Is(err, fault.NotFound) {
				break // the plan lists it
			} else if err != nil {
				return 0, err
			}
			if total += int64(len(page.Items)); total*limit >= items*100 {
				return 0, nil
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
	}
	return int((items*100 + total - 1) / max(total, 1)), nil
}
