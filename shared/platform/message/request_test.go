package message_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/local"
)

func TestRequestSurvivesTheBus(t *testing.T) {
	t.Parallel()
	w := newWorld(t, message.Accepted)
	want := message.Content{Subject: "Zoé's Adresse", Text: "Grüße\n<b>&amp;</b> \u2028 end"}
	sent, err := message.Request{Key: "k", Kind: message.Staff, Contact: "c1", Channel: message.Mail, Until: start.Add(time.Hour)}.Seal(w.dataKey, rand.Reader, want)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "Adresse") || strings.Contains(string(data), "Gr\u00fc") {
		t.Errorf("the text can be read on the bus: %s", data)
	}
	var read message.Request
	if err := json.Unmarshal(data, &read); err != nil || !reflect.DeepEqual(read, sent) {
		t.Fatalf("read %+v, %v", read, err)
	}
	if got, err := read.Open(t.Context(), w.keys); err != nil || got != want {
		t.Errorf("opened %+v, %v", got, err)
	}
}

func TestSealRefusesWhatDeliverWould(t *testing.T) {
	t.Parallel()
	w := newWorld(t, message.Accepted)
	for _, r := range []message.Request{{}, {Key: "k", Kind: "all", Channel: message.Mail}, {Key: "k", Kind: message.Staff}} {
		if _, err := r.Seal(w.dataKey, rand.Reader, message.Content{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v, want invalid", r, err)
		}
	}
	long := message.Request{Key: "k", Kind: message.Staff, Person: "p1", Channel: message.Mail}
	if _, err := long.Seal(w.dataKey, rand.Reader, message.Content{Text: strings.Repeat("x", seal.MaxPlaintext)}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a text over the limit: %v, want invalid", err)
	}
}

// Whatever a body holds, opening it is refused or gives a recipient in exactly one way.
func FuzzOpen(f *testing.F) {
	keys := local.New(filepath.Join(f.TempDir(), "keys"), nil)
	dataKey, err := seal.NewDataKey(context.Background(), keys, rand.Reader, message.Bound())
	if err != nil {
		f.Fatal(err)
	}
	f.Add("p1", []byte(`{"about":["k","staff","p1","","mail",""],"subject":"s","text":"t"}`))
	f.Add("", []byte(`{"about":["k","staff","","","mail",""],"to":"a@b.example","subject":"s","text":"t"}`))
	f.Add("", []byte(`{"about":["k","staff","","","mail",""],"subject":"s","text":"t"}`))
	f.Add("p1", []byte(`{"about":null,"text":1}`))
	f.Add("p1", []byte(`[]`))
	f.Fuzz(func(t *testing.T, person string, plaintext []byte) {
		env, err := dataKey.Seal(rand.Reader, plaintext)
		if fault.Is(err, fault.Exhausted) {
			return // the data key is spent
		}
		if err != nil {
			return
		}
		r := message.Request{V: 1, Key: "k", Kind: message.Staff, Person: person, Channel: message.Mail, Body: env}
		content, err := r.Open(context.Background(), keys)
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%v, want invalid", err)
		}
		if err == nil && (person != "") == (content.To != "") {
			t.Errorf("person %q and address %q", person, content.To)
		}
	})
}
