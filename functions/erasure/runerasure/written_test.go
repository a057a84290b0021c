package runerasure

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/testdata/sample"
)

// TestWritten: word that something was written below a person's document, or by a name that tells nothing of her, has her
// searched for at once; what came late is gone soon, not the next day, and another receipt says so. Word of anybody else, and the
// same word again, does nothing.
func TestWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := w.Ask("planerasure", erasuretest.Nord)
	w.Pass("planerasure", 10*24*time.Hour, 6*time.Hour)
	before := w.Request(asked.ID)
	if before.State != request.Retained || before.Pass.Sub(w.Clock.Now()) < 24*time.Hour {
		t.Fatalf("%s, searched next at %s", before.State, before.Pass)
	}
	say := func(id string, attributes map[string]string, body string) {
		t.Helper()
		attributes[bus.AttributeID] = id
		w.Event(t, me, functiontest.Push(me, functiontest.Published{Topic: parts.TopicWritten, Message: bus.Message{Data: []byte(body), Attributes: attributes}})).Want(t, 204, "")
	}
	store, place := where(t, w, "users")
	project, database, _ := strings.Cut(strings.TrimPrefix(store, "firestore://"), "/")
	document := func(tenant, path string) map[string]string {
		return map[string]string{"project": project, "database": database, "document": strings.Replace(place, erasuretest.Nord, tenant, 1) + "/" + path}
	}
	say("n1", document(erasuretest.Nord, "u1/devices/d"), `{}`)
	say("n2", document(erasuretest.Sud, erasuretest.BrunoUID), `{}`)
	say("n3", map[string]string{"project": project, "database": "other", "document": place + "/" + erasuretest.BrunoUID}, `{}`)
	say("n4", map[string]string{}, `{"refs":["`+strings.Repeat("a", 52)+`"]}`)
	if after := w.Request(asked.ID); after.Rev != before.Rev {
		t.Fatalf("word of others: %+v", after)
	}
	late := func(name string) {
		w.Put("sessions", erasuretest.Nord, sample.Document{Name: name, Created: w.Clock.Now(), Fields: map[string]any{"uid": erasuretest.BrunoUID, "started_at": "2026-01-01T00:00:00Z"}})
	}
	late("late-one")
	for range 3 {
		say("n5", document(erasuretest.Nord, erasuretest.BrunoUID+"/devices/d"), `{}`)
	}
	if hinted := w.Request(asked.ID); hinted.Rev != before.Rev+1 {
		t.Errorf("the same word three times makes %d changes", hinted.Rev-before.Rev)
	}
	w.Pass("planerasure", 10*time.Minute, time.Minute)
	after := w.Request(asked.ID)
	if strings.Contains(w.Export(erasuretest.Nord), "late-one") || after.State != request.Retained || after.Made != before.Made+1 || after.Totals.Erased != before.Totals.Erased+1 {
		t.Fatalf("%s, %d receipts, %+v", after.State, after.Made, after.Totals)
	}
	late("late-two") // within the hour
	ref, err := json.Marshal(map[string]any{"refs": refs(t, erasuretest.BrunoUID)})
	if err != nil {
		t.Fatal(err)
	}
	say("n6", map[string]string{}, string(ref))
	w.Pass("planerasure", 10*time.Minute, time.Minute)
	if !strings.Contains(w.Export(erasuretest.Nord), "late-two") {
		t.Error("searched again within the hour")
	}
	w.Pass("planerasure", time.Hour, 5*time.Minute)
	if strings.Contains(w.Export(erasuretest.Nord), "late-two") {
		t.Error("what came within the hour is left")
	}
	records := len(w.Records(t))
	for i, body := range []string{`{}`, `{"refs":[]}`, `{"refs":["Bruno"]}`, `{"refs":[` + strings.Repeat(`"x",`, 50) + `"x"]}`, `[]`} {
		say("bad"+string(rune('0'+i)), map[string]string{}, body)
	}
	if made := len(w.Records(t)) - records; made != 5 {
		t.Errorf("%d records of five messages that say nothing", made)
	}
}

// where is an entry's store and place in the tenant north.
func where(t *testing.T, w *erasuretest.World, entry string) (store, place string) {
	t.Helper()
	m, _ := datamap.Read(w.Policy)
	store, place, err := m.Where(entry, erasuretest.Nord)
	if err != nil {
		t.Fatal(err)
	}
	return store, place
}

// refs are what the product's own programs, which have the ledger's key, call somebody.
func refs(t *testing.T, uid string) []string {
	t.Helper()
	book, err := ledger.New(nil, ledger.LeastKeep, ledger.Key{Version: "1", Secret: []byte(strings.Repeat("k", 40))})
	if err != nil {
		t.Fatal(err)
	}
	names, err := book.Names(ledger.Subject{Tenant: erasuretest.Nord, Role: datamap.Controller, Kind: "uid", ID: uid})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(names)
}
