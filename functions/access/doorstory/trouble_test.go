package doorstory

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/access/syncallowlist"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/watch/episode"
)

// TestDownAtNoon: for half an hour the door does not answer. Who registers waits and is told so, who is in stays in, who goes is
// taken away within a minute of the door's return.
func TestDownAtNoon(t *testing.T) {
	t.Parallel()
	const waiting, ready = "One moment: your address is being let in.", "Ready: you can connect now."
	each(t, func(t *testing.T, make func(t testing.TB) *door) {
		for _, status := range []int{503, 429} {
			t.Run(fmt.Sprint(status), func(t *testing.T) {
				d := make(t)
				w := newWorld(t, d, map[string]string{}).enrol(emma, asha, erik)
				goes := w.register(emma, home)
				w.register(asha, cafe)
				w.pass(time.Minute)
				d.down(status)
				w.register(erik, elsewhere)
				w.done(emma, goes.ID)
				for range 30 {
					w.pass(time.Minute)
					if w.state(erik) != "received" || w.state(asha) != "confirmed" {
						t.Fatalf("at %s: who waits reads %s, who is in %s", w.Clock.Now().Format(time.TimeOnly), w.state(erik), w.state(asha))
					}
				}
				if !w.said(erik, elsewhere, waiting) || w.said(erik, elsewhere, ready) || !w.said(asha, cafe, ready) {
					t.Error("the page does not say who waits and who is in")
				}
				d.down(0)
				if !w.in(asha, cafe) || !w.in(emma, home) || w.in(erik, elsewhere) {
					t.Error("the door changed while it did not answer")
				}
				w.pass(time.Minute)
				if w.in(emma, home) || !w.in(asha, cafe) || !w.in(erik, elsewhere) || w.state(erik) != "confirmed" || !w.said(erik, elsewhere, ready) {
					t.Errorf("a minute after: who went is in %t, who stayed %t, who waited %t and reads %s", w.in(emma, home), w.in(asha, cafe), w.in(erik, elsewhere), w.state(erik))
				}
				if _, events := w.records(); events["failed"] == 0 {
					t.Error("the evidence does not say that the door did not answer")
				}
			})
		}
	})
}

// called tells the keeper of a call about an asset, as the watch does.
func (w *world) called(asset, person string) {
	w.t.Helper()
	now := w.Clock.Now()
	data, err := json.Marshal(episode.Changed{V: 2, Asset: asset, Service: "compute.googleapis.com", Method: "v1.compute.patch", Actor: "person", At: now, Entry: "entry-1",
		Person: person, Chain: []string{person}, Agent: "Mozilla/5.0", Outcome: "ok"})
	must(w.t, err)
	w.Event(w.t, keeper, functiontest.Push(keeper, functiontest.Published{Topic: syncallowlist.TopicChanged, At: now, Message: bus.Message{Data: data,
		Attributes: map[string]string{bus.AttributeID: "watch-changed/entry-1", bus.AttributeTime: now.Format(time.RFC3339Nano)}}})).Want(w.t, 204, "")
}

// letters are the mails to the security team and the owner whose text holds a word, and how many there are in all.
func (w *world) letters(word string) (holding, all int) {
	w.t.Helper()
	for _, m := range w.Mail(w.t) {
		if !strings.Contains(m.Text, "edge") {
			continue
		}
		if all++; strings.Contains(m.Text, word) {
			holding++
		}
	}
	return holding, all
}

// TestConsole: somebody lets in everybody by hand. The next run takes that away; the log tells who it was, the security team reads
// her name, and the evidence names nobody.
func TestConsole(t *testing.T) {
	t.Parallel()
	if episode.TopicChanged != syncallowlist.TopicChanged {
		t.Error("the watch tells on another topic")
	}
	each(t, func(t *testing.T, make func(t testing.TB) *door) {
		d := make(t)
		w := newWorld(t, d, map[string]string{}).enrol(emma)
		w.register(emma, home)
		w.pass(2 * time.Minute)
		d.edit()
		if !w.in("stranger@elsewhere.example", elsewhere) {
			t.Fatal("what was done by hand lets nobody in")
		}
		const letters, name = 3, "Marc Petit" // two of security and the owner
		naming := letters
		if d.asset == "" {
			naming = 0
			w.pass(12 * time.Minute) // no log will tell
		} else {
			w.called(d.asset, "marc")
			w.pass(2 * time.Minute)
		}
		if w.in("stranger@elsewhere.example", elsewhere) || !w.in(emma, home) || w.state(emma) != "confirmed" {
			t.Error("the door is not put right")
		}
		text, events := w.records()
		if named, all := w.letters(name); named != naming || all != letters {
			t.Errorf("%d letters, %d with the name", all, named)
		}
		if events["foreign"] != 1 || events["righted"] != 1 || events["named"] != 1 {
			t.Errorf("on record are %v", events)
		}
		for _, word := range []string{"marc", "Petit", "@", home, elsewhere, everywhere.String()} {
			if strings.Contains(text, word) {
				t.Errorf("the evidence holds %q", word)
			}
		}
		w.pass(15 * time.Minute)
		if _, all := w.letters(name); all != letters {
			t.Errorf("%d letters in the end", all)
		}
	})
}

// TestWiderRule: a rule of others that lets in everybody past the door is told once, and left alone.
func TestWiderRule(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, make func(t testing.TB) *door) {
		d := make(t)
		if d.wider == nil {
			return
		}
		w := newWorld(t, d, map[string]string{}).enrol(emma)
		w.register(emma, home)
		w.pass(time.Minute)
		d.wider()
		w.pass(5 * time.Minute)
		_, events := w.records()
		if _, all := w.letters(""); all != 3 || events["wider"] != 1 || !w.in("stranger@elsewhere.example", elsewhere) {
			t.Errorf("%d letters, on record are %v; the rule is in force: %t", all, events, w.in("stranger@elsewhere.example", elsewhere))
		}
	})
}
