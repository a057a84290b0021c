package world

import (
	"context"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/bus"
	queue "ostiary.internal/shared/platform/bus/local"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/directory/people"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/mailbox"
	"ostiary.internal/shared/platform/store"
)

func (s stand) stores(applied bool) {
	db := must[store.Store](s)(store.Drivers.Open(s.ctx, s.url(driver.URL("bolt", s.path("a.db"), "tree", "a")), store.Options{Schema: store.Schema{{Name: "things"}}, Clock: clock.System{}}))
	write := func(ctx context.Context, id string) error {
		return db.Tx(ctx, func(tx store.Tx) error { return tx.Create("things", id, map[string]int{"v": 1}) })
	}
	s.fails("a transaction", write(s.ctx, "a"))
	var found map[string]int
	s.holds("whether it was applied", db.Get(context.Background(), "things", "a", &found) == nil, applied)
	s.holds("a transaction of nobody's", write(context.Background(), "b"), nil)
	if err := db.Get(s.ctx, "things", "b", &found); applied != (err == nil) {
		s.Errorf("reading: %v", err)
	}
}

func (s stand) publishes(want int) {
	inner := must[*queue.Bus](s)(queue.Open(s.path("bus.db"), nil))
	defer inner.Close()
	p := must[bus.Publisher](s)(bus.Drivers.Open(s.ctx, s.url(driver.URL("bolt", s.path("bus.db"))), bus.Options{Clock: clock.System{}}))
	defer p.Close()
	s.fails("publishing", p.Publish(s.ctx, "lease.changed", bus.Message{Data: []byte(`{}`)}))
	s.holds("published", must[int](s)(inner.Pending()), want)
}

// delivers publishes one message, unless one is held back, and returns how often it was handled until everything rested.
func (s stand) delivers(now time.Time) (handled int) {
	inner := must[*queue.Bus](s)(queue.Open(s.path("bus.db"), nil))
	h := must[*held](s)(openHeld(s.path("held")))
	d := &deliveries{Bus: inner, faults: s.around.faults, held: h, clock: clock.NewManual(now)}
	if err := d.Subscribe("syncallowlist", "lease.changed", ""); err != nil {
		s.Fatal(err)
	}
	if h.count() == 0 {
		if err := d.Publish(s.ctx, "lease.changed", bus.Message{Data: []byte(`{}`)}); err != nil {
			s.Fatal(err)
		}
	}
	var count atomic.Int64
	ctx, stop := context.WithCancel(s.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- d.Deliver(ctx, queue.Target{
			Handler: func(string) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { count.Add(1); rw.WriteHeader(http.StatusNoContent) })
			},
			Authorization: func(context.Context, string) (string, error) { return "Bearer of-its-invoker", nil },
		})
	}()
	s.holds("coming to rest", d.Idle(s.Context()), nil)
	stop()
	s.holds("delivering", <-ended, nil)
	s.holds("closing", inner.Close(), nil)
	return int(count.Load())
}

// entries are two prefixes of fixed sites.
var entries = allowlist.Set{V4: []allowlist.Entry{
	{Prefix: netip.MustParsePrefix("81.2.69.1/32"), Site: "one", SiteUntil: begin.Add(time.Hour), Until: begin.Add(time.Hour)},
	{Prefix: netip.MustParsePrefix("81.2.69.2/32"), Site: "two", SiteUntil: begin.Add(time.Hour), Until: begin.Add(time.Hour)},
}}

func (s stand) target() (allowlist.Target, allowlist.Write) {
	t := must[allowlist.Target](s)(allowlist.Targets.Open(s.ctx, s.url(driver.URL("file", s.path("door"))), allowlist.Options{Name: "edge", Clock: clock.NewManual(begin)}))
	return t, allowlist.Write{Fence: 1, Etag: must[allowlist.Observed](s)(t.Read(context.Background())).Etag}
}

func (s stand) enforces(want int) {
	t, w := s.target()
	s.fails("writing", t.Apply(s.ctx, entries, w))
	s.holds("entries there", len(must[allowlist.Observed](s)(t.Read(context.Background())).Prefixes), want)
}

func (s stand) sends(want message.Outcome, found message.Trace) {
	c := must[message.Channel](s)(message.Drivers.Open(s.ctx, s.url(driver.URL("mailbox", s.path("mail.db"))), message.Options{}))
	defer c.Close()
	outcome, _ := c.Send(s.ctx, message.Message{ID: "m-1", To: "ann@company.example", Subject: "s", Text: "t", At: begin})
	s.holds("the outcome", outcome, want)
	box := must[*mailbox.Mailbox](s)(mailbox.Open(s.path("mail.db")))
	defer box.Close()
	s.holds("whether it is there", len(must[[]mailbox.Entry](s)(box.List())) == 1, want != message.Deferred)
	trace, _ := c.(message.Finder).Find(s.ctx, "m-1")
	s.holds("looked up", trace, found)
}

func (s stand) looksUp() {
	state := must[store.Store](s)(store.Drivers.Open(s.ctx, driver.URL("bolt", s.path("a.db"), "tree", "a"), store.Options{Schema: store.Schema{people.Collection()}, Clock: clock.System{}}))
	o := directory.Options{Clock: clock.System{}, Store: state, People: func(context.Context) ([]string, error) { return []string{"ann@company.example"}, nil }}
	d := must[directory.Directory](s)(directory.Drivers.Open(s.ctx, s.url("policy:"), o))
	_, err := d.Lookup(s.ctx, "ann@company.example", 0)
	s.fails("looking up", err)
	_, err = d.Lookup(context.Background(), "ann@company.example", 0)
	s.holds("looking up by somebody else", err, nil)
}

func (s stand) records(want int) {
	in := must[record.Inbox](s)(record.Inboxes.Open(s.ctx, s.url(driver.URL("folder", s.path("inbox"))), record.Options{Clock: clock.NewManual(begin), Writer: "admit"}))
	s.fails("handing in a record", in.Create(s.ctx, "a", []byte("x")))
	found := must[[]string](s)(filepath.Glob(s.path("inbox/*/*")))
	s.holds("records there", len(found), want)
}

func (s stand) logs(want int) {
	o := must[log.Objects](s)(log.Stores.Open(s.ctx, s.url(driver.URL("folder", s.path("tiles"))), log.Options{Clock: clock.NewManual(begin)}))
	_, err := o.Create(s.ctx, "a", []byte("a"))
	s.fails("writing", err)
	listed := must[[]log.Listed](s)(o.List(context.Background(), "", "", 10))
	s.holds("written", len(listed), want)
}

// ground is a store that only counts.
type ground struct {
	erasure.Store
	erased int
}

func (g *ground) Erase(context.Context, erasure.Query, []erasure.Item) ([]erasure.Result, error) {
	g.erased++
	return []erasure.Result{}, nil
}

func (s stand) erases(want int) {
	g := &ground{}
	_, err := eraser{reader{g, s.around.faults}, g}.Erase(s.ctx, erasure.Query{}, nil)
	s.fails("erasing", err)
	s.holds("erased", g.erased, want)
}
