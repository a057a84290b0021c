package run_test

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
)

const clientsText = `
identifiers:
  - {id: email, reusable: true, normalise: email}
  - {id: client, opendsr: controller_customer_id}
  - {id: device, opendsr: android_id}
  - {id: advert, opendsr: android_advertising_id}
entries:
  - {id: clients, store: "firestore://p/d", place: clients, region: europe-west1, role: processor, tenant: {field: tenant}, select: {equals: email, of: email, case: exact, or: {equals: client, of: client}}, action: delete, derives: [{identifier: client, from: client}], backup_class: none}
  - {id: visits, store: "firestore://p/d", place: visits, region: europe-west1, role: processor, tenant: {field: tenant}, select: {equals: client, of: client}, action: delete, backup_class: none}
  - {id: letters, store: "firestore://p/d", place: letters, region: europe-west1, role: processor, tenant: {field: tenant}, select: {equals: email, of: email, case: lower}, action: delete, backup_class: none}
  - {id: devices, store: "firestore://p/d", place: devices, region: europe-west1, role: processor, tenant: {field: tenant}, select: {contains: ids, of: device}, action: delete, backup_class: none}
  - {id: adverts, store: "firestore://p/d", place: adverts, region: europe-west1, role: processor, tenant: {field: tenant}, select: {map_key: ids, of: advert}, action: delete, backup_class: none}
limits: {auto_approve_items: 1, growth_percent: 10, tenant_percent: 20, account_grace_days: 14, rate_per_second: 10000}
`

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// clients is a world of people whom tenants answer for: jo, the same jo with a twin tenant, and n others of each.
func clients(t *testing.T, n int) *world {
	w := newWorld(t)
	w.config.Map = readMap(t, clientsText)
	for _, tenant := range []string{"acme", "twin"} {
		w.people.put("clients", tenant+"-jo", "tenant", tenant, "email", "Jo@acme.example", "client", "C-1")
		w.people.put("visits", tenant+"-jo", "tenant", tenant, "client", "C-1")
		w.people.put("letters", tenant+"-jo", "tenant", tenant, "email", "jo@acme.example")
		w.people.put("devices", tenant+"-jo", "tenant", tenant, "ids", "d7")
		for i := range n {
			w.people.put("clients", fmt.Sprintf("%s-%05d", tenant, i), "tenant", tenant, "email", fmt.Sprintf("c%d@acme.example", i), "client", fmt.Sprintf("N-%d", i))
		}
	}
	return w
}

func told(hashed ...run.Hashed) run.Job {
	return run.Job{Request: "r1", Round: 1, Tenant: "acme", Scope: run.Instructed, Hashed: hashed}
}

// beside are the entries that nothing leads to from an identifier of a kind: they stay open.
func beside(kind string) (all []request.Open) {
	for _, entry := range map[string][]string{
		"email": {"devices", "adverts"}, "client": {"letters", "devices", "adverts"},
		"device": {"clients", "visits", "letters", "adverts"}, "advert": {"clients", "visits", "letters", "devices"},
	}[kind] {
		all = append(all, request.Open{Entry: entry, Why: "unasked"})
	}
	return all
}

// TestHashed: whoever is named by a digest of any format is found in all spellings, and nobody of another tenant.
func TestHashed(t *testing.T) {
	t.Parallel()
	md, one := md5.Sum([]byte("jo@acme.example")), sha1.Sum([]byte("Jo@acme.example"))
	for name, c := range map[string]struct {
		h    run.Hashed
		left string // of acme's
	}{
		"sha256 of an address": {run.Hashed{Kind: "email", Format: opendsr.SHA256, Digest: sha("jo@acme.example")}, "devices/acme-jo"},
		"in capital digits":    {run.Hashed{Kind: "email", Format: opendsr.SHA256, Digest: strings.ToUpper(sha("jo@acme.example"))}, "devices/acme-jo"},
		"md5":                  {run.Hashed{Kind: "email", Format: opendsr.MD5, Digest: hex.EncodeToString(md[:])}, "devices/acme-jo"},
		"sha1, as it stands":   {run.Hashed{Kind: "email", Format: opendsr.SHA1, Digest: hex.EncodeToString(one[:])}, "devices/acme-jo"},
		"an id, prepared":      {run.Hashed{Kind: "client", Format: opendsr.SHA256, Digest: sha("c-1")}, "devices/acme-jo letters/acme-jo"},
		"one of a list":        {run.Hashed{Kind: "device", Format: opendsr.SHA256, Digest: sha("d7")}, "clients/acme-jo letters/acme-jo visits/acme-jo"},
		"nobody":               {run.Hashed{Kind: "email", Format: opendsr.SHA256, Digest: sha("jo@twin.example")}, "clients/acme-jo devices/acme-jo letters/acme-jo visits/acme-jo"},
		"of another format":    {run.Hashed{Kind: "email", Format: opendsr.MD5, Digest: sha("jo@acme.example")}, "clients/acme-jo devices/acme-jo letters/acme-jo visits/acme-jo"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := clients(t, 3)
			twin := w.people.export("twin")
			j := told(c.h)
			if p := w.plan(j); len(p.Lost) > 0 {
				t.Errorf("lost %v", p.Lost)
			}
			w.execute(j)
			if o := w.search(j, 1); o.Left > 0 || !slices.Equal(o.Open, beside(c.h.Kind)) {
				t.Errorf("after it %+v", o)
			}
			var left []string
			for ref := range w.people.docs {
				if strings.HasSuffix(ref, "acme-jo") {
					left = append(left, ref)
				}
			}
			if slices.Sort(left); strings.Join(left, " ") != c.left {
				t.Errorf("left %v", left)
			}
			if w.people.export("twin") != twin || strings.Count(w.people.export("acme"), "clients/acme-0") != 3 {
				t.Error("somebody else was touched")
			}
		})
	}
}

// TestHashedTwins: of a person whom only another tenant has nobody here is found; and a digest that a store holds in the
// place of what it stands for is found as it is.
func TestHashedTwins(t *testing.T) {
	t.Parallel()
	w := clients(t, 0)
	w.people.put("letters", "twin-eva", "tenant", "twin", "email", "eva@acme.example")
	w.people.put("letters", "stray", "tenant", "", "email", "eva@acme.example")
	w.people.put("letters", "acme-digest", "tenant", "acme", "email", sha("eva@acme.example"))
	before := w.people.export("twin")
	j := told(run.Hashed{Kind: "email", Format: opendsr.SHA256, Digest: sha("eva@acme.example")})
	w.plan(j)
	w.execute(j)
	if w.people.export("twin") != before || w.people.docs["letters/stray"] == nil || w.people.docs["letters/acme-digest"] != nil || w.people.erased != 1 {
		t.Errorf("erased %d: %s", w.people.erased, w.people.export("twin"))
	}
}

// TestHashedUnread: what could not be read to its end, or cannot be read so at all, or might be of two people, stays open.
func TestHashedUnread(t *testing.T) {
	t.Parallel()
	open := func(entries ...string) (all []request.Open) {
		for _, e := range entries {
			all = append(all, request.Open{Entry: e, Why: "unasked"})
		}
		return all
	}
	for name, c := range map[string]struct {
		h    run.Hashed
		with func(p *people)
		open []request.Open
	}{
		"a map": {run.Hashed{Kind: "advert", Format: opendsr.SHA256, Digest: sha("d1")}, func(*people) {}, open("adverts")},
		"a long list": {run.Hashed{Kind: "device", Format: opendsr.SHA256, Digest: sha("d1")}, func(p *people) {
			p.fail = func(call string) error {
				if call == "values devices" {
					return fault.New(fault.Exhausted, "more than there may be")
				}
				return nil
			}
		}, open("devices")},
		"denied":        {run.Hashed{Kind: "email", Format: opendsr.SHA256, Digest: sha("eva@acme.example")}, nil, open("clients")},
		"two people":    {run.Hashed{Kind: "client", Format: opendsr.SHA256, Digest: sha("c-1")}, func(p *people) { p.put("visits", "other", "client", "c-1") }, open("visits")},
		"shared by all": {run.Hashed{Kind: "email", Format: opendsr.SHA256, Digest: sha("info@acme.example")}, func(p *people) { p.put("letters", "all", "email", "info@acme.example") }, open("letters")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := clients(t, 3)
			if c.with != nil {
				c.with(w.people)
			}
			j, before := told(c.h), w.people.export("acme")
			// The account that reads is denied the listing, and the search by values is not.
			w.people.query = func(q erasure.Query) error {
				if c.with == nil && q.Match.Kind == erasure.MatchTenant && q.Place == "clients" {
					return fault.New(fault.Denied, "no")
				}
				return nil
			}
			if p := w.plan(j); !slices.Equal(p.Lost, c.open) || !p.Summary("").Own {
				t.Errorf("lost %v", p.Lost)
			}
			w.execute(j)
			if o := w.search(j, 1); !slices.Equal(o.Open, slices.Concat(c.open, beside(c.h.Kind))) {
				t.Errorf("open %v", o.Open)
			}
			if w.people.export("acme") != before {
				t.Error("somebody was erased")
			}
			j.Round, j.Reviewed = 2, map[string]int64{c.open[0].Entry: 0}
			if o := w.search(j, 1); !slices.Equal(o.Open, beside(c.h.Kind)) {
				t.Errorf("a person has looked, and open is %v", o.Open)
			}
		})
	}
}

// TestHashedMissed: what could not be compared with a digest stays as it is, over rounds, until it was compared once: it may be
// the only record that tells whose the digest is.
func TestHashedMissed(t *testing.T) {
	t.Parallel()
	w := clients(t, 3)
	j := told(run.Hashed{Kind: "email", Format: opendsr.SHA256, Digest: sha("jo@acme.example")})
	j.IDs = []datamap.Identifier{{Kind: "client", Value: "C-1", Verified: true}}
	delete(w.people.docs, "letters/acme-jo")
	listed := false
	w.people.query = func(q erasure.Query) error {
		if !listed && q.Match.Kind == erasure.MatchTenant && q.Place == "clients" {
			return fault.New(fault.Denied, "no")
		}
		return nil
	}
	open := []request.Open{{Entry: "clients", Why: "unasked"}}
	if p := w.plan(j); !slices.Equal(p.Lost, open) || p.Summary("").Items != 2 {
		t.Errorf("planned %+v", p)
	}
	w.execute(j)
	if w.people.docs["clients/acme-jo"] == nil || w.people.docs["visits/acme-jo"] != nil {
		t.Error("what tells whose the digest is went, or what does not stayed")
	}
	if o := w.search(j, 1); !slices.Equal(o.Open, slices.Concat(open, beside("email"))) || o.Left != 1 {
		t.Errorf("after it %+v", o)
	}
	j.Executed, j.Ran, j.Round = w.clock.Now(), w.clock.Now(), 2
	w.execute(j)
	if w.people.docs["clients/acme-jo"] == nil {
		t.Error("it went in a later round")
	}
	listed = true
	if o := w.search(j, 1); slices.Contains(o.Open, open[0]) || o.Left != 1 {
		t.Errorf("compared at last %+v", o)
	}
	j.Round = 3
	w.execute(j)
	if o := w.search(j, 1); !slices.Equal(o.Open, beside("email")) || o.Left != 0 || w.people.docs["clients/acme-jo"] != nil {
		t.Errorf("in the end %+v", o)
	}
}

// TestHashedInParts: a walk through many goes on where it stood, whatever dies on the way, and reads each of them once.
func TestHashedInParts(t *testing.T) {
	t.Parallel()
	w := clients(t, 2_000)
	j, calls := told(run.Hashed{Kind: "email", Format: opendsr.SHA256, Digest: sha("jo@acme.example")}), 0
	w.again(func() (bool, error) {
		calls++
		n := 0
		w.people.fail = func(call string) error {
			if n++; n > 2 && strings.HasPrefix(call, "find") {
				_ = w.clock.Set(w.clock.Now().Add(2 * time.Minute)) // the time of the call is over
			}
			return nil
		}
		p, done, err := w.engine().Plan(t.Context(), j, w.clock.Now().Add(time.Minute))
		if done && p.Summary("").Items != 3 { // of clients in two ways, and once
			t.Errorf("found %+v", p)
		}
		return done, err
	})
	if calls < 3 {
		t.Errorf("all in %d calls", calls)
	}
	for ref, n := range w.people.reads {
		if strings.HasPrefix(ref, "clients/acme-0") && n > 1 {
			t.Fatalf("%s was read %d times", ref, n)
		}
	}
}

// TestHashedKnown: whom a digest stands for is told to who has to know, sealed where it is kept.
func TestHashedKnown(t *testing.T) {
	t.Parallel()
	w := clients(t, 1)
	w.plan(told(run.Hashed{Kind: "email", Format: opendsr.SHA256, Digest: sha("jo@acme.example")}))
	ids, err := w.engine().Known(t.Context(), "r1", nil)
	if err != nil || !slices.Contains(ids, datamap.Identifier{Kind: "email", Value: "Jo@acme.example", Verified: true}) || !slices.Contains(ids, datamap.Identifier{Kind: "client", Value: "C-1", Verified: true}) {
		t.Errorf("known %v, %v", ids, err)
	}
}

// wide is a store that lists everybody's items, and shows what they hold, whoever asks.
type wide struct{ *people }

func (w wide) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	if q.Match.Kind != erasure.MatchTenant {
		return w.people.Find(ctx, q, cursor, limit)
	}
	var page erasure.Page
	for ref, doc := range w.docs {
		if placeOf(ref) == q.Place && len(q.Show) == 1 {
			page.Items = append(page.Items, erasure.Item{Ref: ref, Tenant: doc["tenant"], Shown: map[string]string{q.Show[0]: doc[q.Show[0]]}})
		}
	}
	return page, nil
}

// TestHashedElsewhere: nothing is learnt from another tenant's items, even of a store that shows them.
func TestHashedElsewhere(t *testing.T) {
	t.Parallel()
	w := clients(t, 0)
	w.people.put("letters", "twin-eva", "tenant", "twin", "email", "eva@acme.example")
	w.config.Reader = func(context.Context, string) (erasure.Reader, error) { return wide{w.people}, nil }
	w.plan(told(
		run.Hashed{Kind: "email", Format: opendsr.SHA256, Digest: sha("eva@acme.example")},
		run.Hashed{Kind: "email", Format: opendsr.SHA256, Digest: sha("jo@acme.example")},
	))
	ids, err := w.engine().Known(t.Context(), "r1", nil)
	has := func(value string) bool {
		return slices.ContainsFunc(ids, func(i datamap.Identifier) bool { return i.Value == value })
	}
	if err != nil || has("eva@acme.example") || !has("jo@acme.example") {
		t.Errorf("known %v, %v", ids, err)
	}
}
