package run_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
)

// closing is the job of closing an account in which jo's request holds something.
func closing(holds ...run.Hold) run.Job {
	hers := job(1)
	hers.Request, hers.Holds = "r2", holds
	return run.Job{Request: "r1", Round: 1, Tenant: "acme", Scope: run.Account, Beside: []run.Job{hers}, Besides: "x"}
}

func (w *world) refs() (all []string) {
	for ref, doc := range w.people.docs {
		if doc["tenant"] == "acme" {
			all = append(all, ref)
		}
	}
	slices.Sort(all)
	return all
}

// What a request of jo's holds stays when her account is closed, and nothing else: those items, or of those that lose fields
// alone the fields. It goes when the hold is over, even where the records that led to her are gone.
func TestClosingKeepsWhatIsHeld(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 9, 2, 0, 0, 0, 0, time.UTC) // the end of the first
	hold := func(entry string, fields ...string) run.Hold {
		return run.Hold{Entry: entry, Fields: fields, Until: until, Ground: request.Statute, Citation: "HGB 257"}
	}
	for name, c := range map[string]struct {
		hold run.Hold
		kept []string // beside invoices
		free string   // of usage, a field that stays
	}{
		"by her id":        {hold("sessions"), []string{"sessions/jo"}, ""},
		"by her address":   {hold("notes"), []string{"notes/jo"}, ""},
		"by what follows":  {hold("orders"), []string{"orders/jo"}, ""},
		"the fields":       {hold("usage", "name"), []string{"usage/al", "usage/jo"}, "name"},
		"what lies inside": {hold("files"), []string{"folders/jo", "folders/jo/files/a"}, ""},
		"what it lies in":  {hold("folders"), []string{"folders/jo", "folders/jo/files/a"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.use("{field: name, do: delete}]", "{field: name, do: delete}, {field: city, do: delete}]")
			for who, uid := range map[string]string{"jo": "u1", "al": "u2"} {
				w.people.put("users", who, "uid", uid, "email", who+"@acme.example", "created", "2026-01-01T00:00:00Z")
				w.people.put("sessions", who, "uid", uid)
				w.people.put("notes", who, "email", who+"@acme.example", "created", "2026-01-01T00:00:00Z")
				w.people.put("profiles", who, "uid", uid, "customer", "c"+uid)
				w.people.put("orders", who, "customer", "c"+uid)
				w.people.put("usage", who, "uid", uid, "name", who, "city", "Ulm")
				w.people.put("folders", who, "uid", uid)
				w.people.put("folders/"+who+"/files", "a", "uid", uid)
			}
			j := closing(c.hold)
			p := w.plan(j)
			at := slices.IndexFunc(p.Entries, func(e run.Entry) bool { return e.ID == c.hold.Entry })
			if p.Entries[at].Count.Kept != 1 {
				t.Errorf("planned %+v", p.Entries[at])
			}
			j = w.erased(j)
			want := slices.Concat(c.kept, []string{"usage/al", "usage/jo"})
			slices.Sort(want)
			if got := w.refs(); !slices.Equal(got, slices.Compact(want)) {
				t.Fatalf("left %v, want %v", got, want)
			}
			if jo, al := w.people.docs["usage/jo"], w.people.docs["usage/al"]; (jo["name"] != "") != (c.free != "") || (jo["uid"] != "") != (c.free != "") || jo["city"] != "" || al["name"] != "" {
				t.Errorf("usage: %v %v", jo, al)
			}
			o := w.search(j, 1)
			named := slices.ContainsFunc(o.Kept, func(k request.Kept) bool {
				return k.Entry == c.hold.Entry && k.Items == 1 && k.Ground == request.Statute && k.Citation == "HGB 257" && k.Until.String() == "2026-09-01"
			})
			if o.Left > 0 || len(o.Open) > 0 || !named {
				t.Errorf("found %+v", o)
			}
			if err := w.clock.Set(until); err != nil {
				t.Fatal(err)
			}
			j.Beside, j.Besides, j.Round = nil, "", 2
			w.erased(j)
			if got := w.refs(); !slices.Equal(got, []string{"usage/al", "usage/jo"}) || w.people.docs["usage/jo"]["name"]+w.people.docs["usage/jo"]["uid"] != "" {
				t.Errorf("afterwards %v %v", got, w.people.docs["usage/jo"])
			}
		})
	}
}

// Where nobody can tell whose what is held is, its entry stays as a whole, open and named; others go.
func TestClosingInTheDark(t *testing.T) {
	t.Parallel()
	hold := run.Hold{Entry: "files", Until: start.AddDate(0, 6, 0), Ground: request.Statute}
	for name, change := range map[string]func(*world, *run.Job){
		"nobody proved it":       func(_ *world, j *run.Job) { j.Beside[0].IDs = nil },
		"the look-up is refused": func(w *world, _ *run.Job) { w.people.fail = denied("values users") },
		"its items are":          func(w *world, _ *run.Job) { w.people.fail = denied("find **/files") },
		"nothing leads to it": func(_ *world, j *run.Job) {
			j.Beside[0].IDs = []datamap.Identifier{{Kind: "customer", Value: "c", Verified: true}}
		},
		"by digests nobody knows": func(_ *world, j *run.Job) { j.Beside[0].Hashed = []run.Hashed{{Kind: "email"}} },
	} {
		w := newWorld(t)
		w.people.put("users", "jo", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
		w.people.put("folders", "jo", "uid", "u1")
		w.people.put("folders/jo/files", "a", "uid", "u1")
		w.people.put("folders/al/files", "a", "uid", "u2")
		w.people.put("notes", "al", "email", "al@acme.example", "created", "2026-01-01T00:00:00Z")
		j := closing(hold)
		change(w, &j)
		w.plan(j)
		x := w.execute(j)
		if w.people.docs["folders/jo/files/a"] == nil || w.people.docs["folders/al/files/a"] == nil || w.people.docs["notes/al"] != nil {
			t.Errorf("%s: left %v", name, w.refs())
		}
		if !slices.ContainsFunc(x.Open, func(o request.Open) bool { return o.Entry == "files" && o.Why != "" }) {
			t.Errorf("%s: open %v", name, x.Open)
		}
	}
}

func denied(call string) func(string) error {
	return func(now string) error {
		if strings.HasPrefix(now, call) {
			return fault.New(fault.Denied, "no")
		}
		return nil
	}
}

// A hold that came after the plan makes it another.
func TestClosingHeldSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	j := closing(run.Hold{Entry: "sessions", Until: start.Add(24 * time.Hour)})
	j.IDs = []datamap.Identifier{{Kind: "uid", Value: "u10", Verified: true}}
	with := j
	j.Beside, j.Besides = nil, ""
	w.plan(j)
	before, err := w.engine().Approved(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	after, err := w.engine().Approved(t.Context(), with)
	if err != nil || after == before {
		t.Errorf("the plan is still approved, %v", err)
	}
}
