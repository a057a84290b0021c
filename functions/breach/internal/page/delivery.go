package page

import (
	"strconv"
	"strings"

	"ostiary.internal/shared/breach/notice"
)

// Delivery is one recipient of a notice that is being sent.
type Delivery struct {
	ID       string
	Path     string // shows what goes to her
	Tenant   string
	Language string
	State    string // key
	Tone     string
	Do       string // key: what somebody has to do; "" for nothing
	To       string
	Tries    []string
	Due      string
	Told     string
	Settled  string
	Handed   string // as a field of a form has it
	Arrived  bool
	Doubtful bool
	Lost     bool
	Contrary bool // a peer says otherwise
}

// NewDelivery is one recipient of a notice that is being sent.
func (r Reader) NewDelivery(d notice.Delivery) Delivery {
	one := Delivery{ID: d.ID, Path: CasePath(d.Case) + "/notices/" + strconv.Itoa(d.N) + "?to=" + strconv.Itoa(d.At) + "#shown", Tenant: r.Tenant(d.Tenant), Language: d.Language, State: "delivery." + string(d.Progress), To: strings.Join(d.Addresses, ", "), Due: r.At(d.Due), Told: r.At(d.Told),
		Handed: r.Local(d.Handed), Arrived: d.Progress == notice.Arrived, Doubtful: d.Progress == notice.Doubtful, Lost: d.Progress == notice.Lost, Contrary: d.Contrary()}
	if !d.Delivered().IsZero() {
		one.State = "delivery.delivered"
	}
	switch d.Progress {
	case notice.Arrived:
		one.Tone = "good"
	case notice.Doubtful:
		one.Tone, one.Do = "wait", "delivery.doubtful.do"
	case notice.Lost:
		one.Tone, one.Do = "bad", "delivery.lost.do"
	}
	for _, t := range d.Tries {
		text := r.known("channel.", t.Channel) + ": " + r.known("try.", string(t.State)) + ", " + r.At(t.At)
		if t.Why != "" {
			text += " (" + t.Why + ")"
		}
		for _, f := range t.Fates {
			text += "; " + r.known("try.", string(f.State)) + ", " + r.At(f.At)
		}
		one.Tries = append(one.Tries, text)
	}
	if d.Settler != "" {
		one.Settled = r.Say("by.one", r.Person(d.Settler), r.At(d.Settled))
	}
	return one
}
