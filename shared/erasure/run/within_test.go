package run_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
)

// shelf gives jo a folder with a file and a picture in it, and the twin the like.
func (w *world) shelf() {
	for _, tenant := range []string{"acme", "twin"} {
		w.people.put("folders", tenant, "tenant", tenant, "uid", "u1")
		w.people.put("folders", tenant+"/files/a", "tenant", tenant, "uid", "u1")
		w.people.put("folders", tenant+"/thumbs/a", "tenant", tenant)
	}
}

// What lies inside something and has to stay keeps it, too, whether it was asked for itself or not.
func TestHoldWithin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	w.shelf()
	twin := w.people.export("twin")
	j := job(1)
	j.Holds = []run.Hold{{Entry: "files", Until: start.AddDate(0, 1, 0), Ground: request.LegalClaims}}
	if p := w.plan(j); !strings.Contains(left(p.Entries), "files 0/1, folders 0/1") {
		t.Errorf("planned %s", left(p.Entries))
	}
	w.execute(j)
	o := w.search(j, 1)
	if o.Left != 0 || len(o.Open) > 0 || len(o.Kept) != 2 || o.Kept[0].Entry != "folders" || o.Kept[0].Ground != request.LegalClaims || o.Kept[0].Until.String() != "2026-04-02" {
		t.Errorf("afterwards %+v", o)
	}
	if got := w.people.export("acme"); !strings.Contains(got, "folders/acme/files/a") || !strings.Contains(got, "folders/acmemap") {
		t.Errorf("left:\n%s", got)
	}
	j.Holds, j.Round = nil, 2
	w.plan(j)
	w.execute(j)
	if got := w.people.export("acme"); strings.Contains(got, "folders/") || w.people.export("twin") != twin {
		t.Errorf("after the hold:\n%s", got)
	}
}

// The same for what a person has to look at, belongs to nobody, or cannot be searched: then a person looks at both.
func TestLeftWithin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	w.shelf()
	w.people.put("folders", "acme/files/b", "tenant", "", "uid", "u1")
	w.plan(job(1))
	w.execute(job(1))
	o := w.search(job(1), 1)
	if o.Left != 0 || len(o.Open) != 2 || o.Open[0] != (request.Open{Entry: "files", Why: "foreign"}) || o.Open[1] != (request.Open{Entry: "folders", Why: "no_end"}) {
		t.Errorf("afterwards %+v", o)
	}
	if got := w.people.export("acme"); !strings.Contains(got, "folders/acmemap") || strings.Contains(got, "files/a") {
		t.Errorf("left:\n%s", got)
	}
}

// An account that is closed keeps what is held, and what that lies in; that it is gone is put on record first.
func TestAccountHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	w.shelf()
	twin, said := w.people.export("twin"), 0
	w.config.Suppress = func(_ context.Context, tenant string, _ datamap.Role, ids []datamap.Identifier, _ time.Time) error {
		if said++; tenant != "acme" || len(ids) > 0 || w.people.erased > 0 {
			t.Errorf("said of %s: %v, when %d were erased", tenant, ids, w.people.erased)
		}
		return nil
	}
	j := run.Job{Request: "r2", Round: 1, Tenant: "acme", Scope: run.Account, Holds: []run.Hold{{Entry: "files", Until: forever, Ground: request.LegalClaims}}}
	w.plan(j)
	w.execute(j)
	o := w.search(j, 1)
	if got := w.people.export("acme"); o.Left > 0 || len(o.Open) > 0 || said != 1 || !strings.Contains(got, "folders/acmemap") || !strings.Contains(got, "files/a") || strings.Contains(got, "sessions/") {
		t.Errorf("said %d times; %+v; left:\n%s", said, o, got)
	}
	if w.people.export("twin") != twin {
		t.Error("the twin tenant was touched")
	}
}

// What is written below a folder that is gone, by somebody who did not know, is found and goes.
func TestLateBelow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	w.shelf()
	j := w.erased(job(1))
	w.people.put("folders", "acme/thumbs/late", "tenant", "")
	w.people.put("folders", "other/thumbs/late", "tenant", "")
	o := w.search(j, 1)
	if o.Left != 1 || len(o.Open) > 0 {
		t.Fatalf("left %+v", o)
	}
	j.Round = 2
	w.execute(j)
	if w.people.docs["folders/acme/thumbs/late"] != nil || w.people.docs["folders/other/thumbs/late"] == nil {
		t.Error("not what lies below her folder, and that alone")
	}
	if o := w.search(j, 1); o.Left != 0 || len(o.Open) > 0 {
		t.Errorf("afterwards %+v", o)
	}
	// A folder of that name that is somebody's is his.
	w.people.put("folders", "acme", "uid", "u10")
	w.people.put("folders", "acme/thumbs/his", "tenant", "")
	if o := w.search(j, 2); o.Left != 0 {
		t.Errorf("left %+v", o)
	}
}

// A hold of fields keeps these, and the whole where nothing else can be done.
func TestHoldOfFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(2)
	until := start.Add(30 * 24 * time.Hour)
	j := job(1)
	j.Holds = []run.Hold{{Entry: "usage", Fields: []string{"uid"}, Until: until}, {Entry: "sessions", Fields: []string{"uid"}, Until: until}}
	p := w.plan(j)
	for _, e := range p.Entries {
		if whole := e.ID == "sessions"; e.Whole != whole || whole && (e.Count.Kept != 2 || e.Count.Left != 0) || e.ID == "usage" && (e.Count.Kept != 1 || e.Count.Left != 1) {
			t.Errorf("planned %+v", e)
		}
	}
	if x := w.execute(j); x.Totals.Anonymised != 1 || x.Totals.Erased != 3 {
		t.Errorf("executed %+v", x.Totals)
	}
	if got := w.people.export("acme"); strings.Contains(got, "Jo") || !strings.Contains(got, "usage/acme-1map[tenant:acme uid:u1") || strings.Count(got, "uid:u1 ") != 2+1+1 {
		t.Errorf("left:\n%s", got)
	}
	if o := w.search(j, 1); o.Left != 0 || len(o.Open) > 0 {
		t.Errorf("afterwards %+v", o)
	}
	j.Holds, j.Round = nil, 2
	w.plan(j)
	w.execute(j)
	if got := w.people.export("acme"); strings.Contains(got, "uid:u1 ") && strings.Count(got, "uid:u1 ") != 1 {
		t.Errorf("after the hold:\n%s", got)
	}
}
