package mongodb

import (
	"context"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/platform/fault"
)

const person = erasetest.Person

var wants, find = erasetest.Wants, erasetest.Found

// of is the query for one person's documents of a place that tells tenants by a field.
func of(place string) erasure.Query { return erasetest.Of("documents", place) }

// every method fails in the same way.
func all(t testing.TB, what string, d *database, place string, kind fault.Kind) {
	t.Helper()
	erasetest.All(t, what, d, of(place), `{"in":"`+place+`","_id":"a"}`, kind)
}

func TestServersThatAnswerNobody(t *testing.T) {
	t.Parallel()
	s := started(t)
	c, place := s.collection(t)
	put(t, c, bson.D{{Key: "_id", Value: "a"}, {Key: "tenant", Value: "alpha"}, {Key: "uid", Value: person}})
	for what, access := range map[string][2]string{"a wrong password": {"admin", "guess"}, "an unknown user": {"nobody", secret}} {
		t.Run(what, func(t *testing.T) {
			t.Parallel() // the driver waits after each refusal
			all(t, what, opened(t, "mongodb://"+access[0]+"@"+s.address+"/?secret=password", access[1], limits{}), place, fault.Denied)
		})
	}
	crowd, told := opened(t, "mongodb://admin@"+s.address+"/?secret=password", "guess", limits{}), make(chan error)
	for range 4 {
		go func() { _, err := crowd.Find(context.Background(), of(place), "", 10); told <- err }()
	}
	for range 4 {
		wants(t, "a wrong password, of many at once", <-told, fault.Denied)
	}
	_, err := opened(t, "mongodb://"+s.address+"/", "", limits{}).Find(t.Context(), of(place), "", 10)
	wants(t, "nobody's name", err, fault.Denied)

	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	all(t, "a server that is silent", opened(t, "mongodb://admin@"+silent.Addr().String()+"/?secret=password", secret, limits{finding: 50 * time.Millisecond, patience: 60 * time.Millisecond}), place, fault.Transient)
	must(t, silent.Close())
	all(t, "a server gone", opened(t, "mongodb://admin@"+silent.Addr().String()+"/?secret=password", secret, limits{finding: 50 * time.Millisecond}), place, fault.Transient)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.open(t, limits{}).Find(ctx, of(place), "", 10)
	wants(t, "a call given up", err, fault.Transient)
}

// TestPatience: nobody waits for ever for an answer or a connection, and what was not done is done later.
func TestPatience(t *testing.T) {
	t.Parallel()
	s := started(t)
	c, place := s.collection(t)
	put(t, c, bson.D{{Key: "_id", Value: "a"}, {Key: "tenant", Value: "alpha"}, {Key: "uid", Value: person}})
	items := find(t, s.open(t, limits{}), of(place))

	reached, release := make(chan struct{}), make(chan struct{})
	var held atomic.Bool
	held.Store(true)
	full := s.open(t, limits{conns: 1, patience: 5 * time.Second, monitor: &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		if e.CommandName == "ping" && held.CompareAndSwap(true, false) {
			close(reached)
			<-release
		}
	}}})
	done := make(chan error)
	go func() { _, err := full.Traces(context.Background()); done <- err }()
	<-reached
	short, cancel := context.WithTimeout(t.Context(), 80*time.Millisecond)
	defer cancel()
	_, err := full.Find(short, of(place), "", 10)
	wants(t, "no connection left", err, fault.Transient)
	close(release)
	must(t, <-done)

	results, err := full.Erase(t.Context(), of(place), items)
	must(t, err)
	if len(results) != 1 || results[0].Outcome != erasure.OutcomeErased {
		t.Errorf("afterwards: %v", results)
	}
}

// TestWrittenMeanwhile: what is written between the looking and the erasing of one call is left alone.
func TestWrittenMeanwhile(t *testing.T) {
	t.Parallel()
	s := started(t)
	for name, action := range map[string]erasure.Action{"delete": erasure.ActionDelete, "update": erasure.ActionAnonymise} {
		for field, value := range map[string]any{"tenant": "beta", "uid": "zq-u2", "note": "new"} {
			if name == "delete" && field == "note" {
				continue // no version: other fields are not looked at
			}
			c, place := s.collection(t)
			put(t, c, bson.D{{Key: "_id", Value: "a"}, {Key: "tenant", Value: "alpha"}, {Key: "uid", Value: person}, {Key: "note", Value: "old"}})
			var once atomic.Bool
			d := s.open(t, limits{monitor: &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
				if e.CommandName == name && once.CompareAndSwap(false, true) {
					_, err := c.UpdateByID(context.Background(), "a", bson.D{{Key: "$set", Value: bson.D{{Key: field, Value: value}}}})
					if err != nil {
						t.Error(err)
					}
				}
			}}})
			q := of(place)
			if q.Action = action; action == erasure.ActionAnonymise {
				q.Changes = []erasure.Change{{Field: "note", Kind: erasure.ChangeSet, Value: "none"}}
			}
			results, err := d.Erase(t.Context(), q, find(t, d, q))
			must(t, err)
			if len(results) != 1 || results[0].Outcome != erasure.OutcomeChanged {
				t.Errorf("%s, while %s was written: %v", name, field, results)
			}
			left, err := c.FindOne(t.Context(), bson.D{{Key: field, Value: value}}).Raw()
			if err != nil || field != "note" && left.Lookup("note").StringValue() != "old" {
				t.Errorf("%s, while %s was written: left is %v, %v", name, field, left, err)
			}
		}
	}
}

// TestRefreshedMeanwhile: a document that was old when it was found is not erased when it was made young since, whether before the
// erasing looks at it or after.
func TestRefreshedMeanwhile(t *testing.T) {
	t.Parallel()
	s := started(t)
	old, young := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, action := range map[string]erasure.Action{"delete": erasure.ActionDelete, "update": erasure.ActionAnonymise} {
		for _, before := range []time.Time{{}, young.AddDate(-1, 0, 0)} {
			for _, late := range []bool{false, true} {
				c, place := s.collection(t)
				put(t, c, bson.D{{Key: "_id", Value: "a"}, {Key: "tenant", Value: "alpha"}, {Key: "uid", Value: person}, {Key: "note", Value: "old"}, {Key: "used", Value: old}})
				refresh := func() {
					if _, err := c.UpdateByID(context.Background(), "a", bson.D{{Key: "$set", Value: bson.D{{Key: "used", Value: young}}}}); err != nil {
						t.Error(err)
					}
				}
				var armed atomic.Bool
				d := s.open(t, limits{monitor: &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
					if e.CommandName == name && armed.CompareAndSwap(true, false) {
						refresh()
					}
				}}})
				q := of(place)
				q.CreatedField, q.CreatedBefore = "used", before
				if q.Action = action; action == erasure.ActionAnonymise {
					q.Changes = []erasure.Change{{Field: "note", Kind: erasure.ChangeSet, Value: "none"}}
				}
				items := find(t, d, q)
				if armed.Store(late); !late {
					refresh()
				}
				results, err := d.Erase(t.Context(), q, items)
				must(t, err)
				if len(items) != 1 || len(results) != 1 || results[0].Outcome == erasure.OutcomeErased {
					t.Errorf("%s, before %s, refreshed late %t: %v", name, before, late, results)
				}
				left, err := c.FindOne(t.Context(), bson.D{{Key: "_id", Value: "a"}}).Raw()
				if err != nil || left.Lookup("note").StringValue() != "old" {
					t.Errorf("%s, before %s, refreshed late %t: left is %v, %v", name, before, late, left, err)
				}
			}
		}
	}
}

// TestAddresses: beyond this machine the server proves who it is; the password is never in the URL.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"mongodb://127.0.0.1:27017": "mongodb://127.0.0.1:27017/", "mongodb://localhost/": "mongodb://localhost/", "mongodb://[::1]:27017/": "mongodb://[::1]:27017/",
		"mongodb://u@db.example/?secret=p":                             "mongodb://u@db.example/?tls=true",
		"mongodb://u@localhost,db.example:1/?secret=p":                 "mongodb://u@localhost,db.example:1/?tls=true",
		"mongodb+srv://u@cluster.example/?secret=p&authSource=other":   "mongodb+srv://u@cluster.example/?authSource=other&tls=true",
		"mongodb://10.0.0.1/?replicaSet=rs0&directConnection=true":     "mongodb://10.0.0.1/?directConnection=true&replicaSet=rs0&tls=true",
		"mongodb://u@db.example/?secret=p&tlsCAFile=%2Fetc%2Fca%26pem": "mongodb://u@db.example/?tls=true&tlsCAFile=%2Fetc%2Fca%26pem",
	} {
		u, err := url.Parse(raw)
		must(t, err)
		if got, err := configure(u); err != nil || got != want {
			t.Errorf("%s is %s, %v; want %s", raw, got, err, want)
		}
	}
	for _, raw := range []string{
		"mongodb://u:guess@127.0.0.1/?secret=p", "mongodb://u@127.0.0.1/", "mongodb://127.0.0.1/?secret=p", "mongodb:///?secret=p", "mongodb://127.0.0.1/db",
		"mongodb://db.example/?tls=false", "mongodb://db.example/?tlsInsecure=true", "mongodb://127.0.0.1/?replicaSet=a&replicaSet=b",
	} {
		_, reading := erasure.Readers.Open(t.Context(), raw, erasure.Options{})
		_, erasing := erasure.Stores.Open(t.Context(), raw, erasure.Options{})
		for _, err := range []error{reading, erasing} {
			wants(t, raw, err, fault.Misconfigured)
			if err != nil && strings.Contains(err.Error(), "guess") {
				t.Errorf("the password is told: %v", err)
			}
		}
	}
	_, err := opened(t, "mongodb+srv://u@cluster.invalid/?secret=password", secret, limits{}).Traces(t.Context())
	wants(t, "a name that nobody knows", err, fault.Transient)
	d, err := erasure.Readers.Open(t.Context(), "mongodb://u@127.0.0.1/?secret=password", erasure.Options{})
	must(t, err)
	defer d.Close()
	_, err = d.Traces(t.Context())
	wants(t, "a secret, and none to ask", err, fault.Misconfigured)
}
