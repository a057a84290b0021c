package planerasure

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
)

// TestDeath: at whatever call of the database, the bus, the inbox, a key or the stores of personal data an instance dies, the
// next one does what is left: one receipt, the same data, the same numbers.
func TestDeath(t *testing.T) {
	t.Parallel()
	whole := done(t, nil, 0)
	for name, part := range map[string]func(w *erasuretest.World) *functiontest.Switch{
		"store":   func(w *erasuretest.World) *functiontest.Switch { return &w.Store },
		"applied": func(w *erasuretest.World) *functiontest.Switch { return &w.Applied },
		"bus":     func(w *erasuretest.World) *functiontest.Switch { return &w.Bus },
		"inbox":   func(w *erasuretest.World) *functiontest.Switch { return &w.Inbox },
		"key":     func(w *erasuretest.World) *functiontest.Switch { return &w.RequestKey },
		"data":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stride := max(map[string]int{"store": 701, "applied": 83, "bus": 2, "inbox": 5, "key": 23, "data": 61}[name]/require.Seeds(1), 1)
			for n := 0; ; n += stride {
				if part == nil {
					part = func(*erasuretest.World) *functiontest.Switch { return nil }
				}
				got := done(t, part, n)
				if got == "" {
					t.Logf("%s: %d calls", name, n)
					return
				}
				if got != whole {
					t.Errorf("%s dead after %d calls:\n%s\nwant\n%s", name, n, got, whole)
				}
			}
		})
	}
}

// played is a request from the question to the answer.
type played struct {
	*erasuretest.World
	t       *testing.T
	cut     *functiontest.Switch // of part of the world; nil for the data
	mortal  bool
	died    bool
	brought map[string]int // messages by topic
}

// dead reports whether the part has failed by now; the first time it mends it and begins a new instance.
func (p *played) dead() bool {
	if !p.mortal || p.died {
		return p.died
	}
	if p.cut != nil && p.cut.Failed() == 0 || p.cut == nil && !p.DataFailed() {
		return false
	}
	p.died = true
	if p.cut != nil {
		p.cut.Up()
	} else {
		p.Data(nil, 0)
	}
	p.Restart()
	return true
}

func (p *played) try(what string, fn func() functiontest.Answer) {
	p.t.Helper()
	for try := 0; ; try++ {
		got := fn()
		dead := p.dead()
		if got.Status == 204 {
			return
		}
		if got.Status != 503 || !dead || try > 1 {
			p.t.Fatalf("%s is answered %d", what, got.Status)
		}
	}
}

func (p *played) deliver() {
	p.t.Helper()
	for again := true; again; {
		again = false
		for topic, function := range map[string]string{request.TopicPlan: me, request.TopicRun: "runerasure"} {
			for _, m := range p.Published(topic)[p.brought[topic]:] {
				p.brought[topic]++
				again = true
				p.try(topic, func() functiontest.Answer { return p.Event(p.t, function, functiontest.Push(function, m)) })
			}
		}
	}
}

// done plays a request of which a part dies after n calls, and returns what there is in the end: "" when it never died.
func done(t *testing.T, part func(*erasuretest.World) *functiontest.Switch, n int) string {
	t.Helper()
	w := newWorld(t)
	twin := w.Export(erasuretest.Sud)
	asked := w.Ask(me, erasuretest.Nord)
	p := &played{World: w, t: t, mortal: part != nil, brought: map[string]int{}}
	if part != nil {
		if p.cut = part(w); p.cut != nil {
			p.cut.DownAfter(n)
		} else {
			p.Data(fault.New(fault.Transient, "an injected failure"), n)
		}
	}
	for range 8 {
		p.deliver()
		w.Advance(t, 5*time.Minute)
		p.try("the schedule", func() functiontest.Answer { return w.Tick(t, me) })
	}
	p.deliver()
	if p.mortal && !p.died {
		return ""
	}
	r := w.Request(asked.ID)
	signed, err := (&receipt.Book{Store: w.Raw("erasure")}).File(t.Context(), asked.ID)
	if err != nil {
		return fmt.Sprint(r.State, r.Why, r.Outcome, err)
	}
	made, err := receipt.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	receipts := 0
	for _, rec := range w.Records(t) {
		if rec.Facts["event"] == "receipt" {
			receipts++
		}
	}
	entries, err := json.Marshal(made.Entries)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(r.State, r.Totals, r.Made, receipts, made.Seq, made.State, string(entries), w.Export(erasuretest.Sud) == twin, w.Export(erasuretest.Nord))
}
