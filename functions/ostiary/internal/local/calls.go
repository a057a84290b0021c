package local

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/directory/people"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

func (w *World) readClock(rw http.ResponseWriter, _ *http.Request) error {
	if w.manual == nil {
		return systemClock()
	}
	return web.WriteJSON(rw, http.StatusOK, map[string]time.Time{"now": w.clock.Now()})
}

func systemClock() error {
	return fault.Refuse(fault.Conflict, "clock_system", "This server runs by the machine's clock.", "Start it with --clock manual to move the time.")
}

// setClock sets the clock without anything happening, or advances it with everything that is due on the way.
func (w *World) setClock(rw http.ResponseWriter, r *http.Request) error {
	if w.manual == nil {
		return systemClock()
	}
	var body struct {
		Now     *time.Time `json:"now"`
		Advance string     `json:"advance"`
	}
	if err := decode(rw, r, &body); err != nil {
		return err
	}
	if body.Now != nil && body.Advance == "" {
		if err := w.Jump(*body.Now); err != nil {
			return err
		}
		return web.WriteJSON(rw, http.StatusOK, map[string]any{"now": w.clock.Now(), "ran": []Ran{}})
	}
	by, err := time.ParseDuration(body.Advance)
	if err != nil || body.Now != nil {
		return fault.Refuse(fault.Invalid, "body_invalid", "Neither a time nor a duration to move the clock by.", `Send {"now": RFC 3339} or {"advance": "26h"}.`)
	}
	ran, err := w.Advance(r.Context(), by)
	if err != nil {
		return err
	}
	if err := w.Settled(r.Context()); err != nil {
		return err
	}
	return web.WriteJSON(rw, http.StatusOK, map[string]any{"now": w.clock.Now(), "ran": ran})
}

func (w *World) settle(rw http.ResponseWriter, r *http.Request) error {
	if err := w.Settled(r.Context()); err != nil {
		return err
	}
	return web.WriteJSON(rw, http.StatusOK, Unsettled{Outbox: map[string]int{}})
}

// records lists the evidence, in the log and on its way there.
func (w *World) records(rw http.ResponseWriter, r *http.Request) error {
	all, err := w.evidence.all(r.Context())
	if err != nil {
		return err
	}
	kind, promise := r.URL.Query().Get("kind"), r.URL.Query().Get("promise")
	found := []json.RawMessage{}
	for _, data := range all {
		if kind == "" && promise == "" { // nothing of a record need be known
			found = append(found, data)
			continue
		}
		leaf, err := record.Parse(data)
		if err != nil {
			return err
		}
		if (kind == "" || string(leaf.Kind) == kind) && (promise == "" || slices.Contains(leaf.Promises, promise)) {
			found = append(found, data)
		}
	}
	return pretty(rw, map[string]any{"records": found})
}

func (w *World) schedules(rw http.ResponseWriter, _ *http.Request) error {
	type schedule struct {
		Function string    `json:"function"`
		Cron     string    `json:"cron"`
		Next     time.Time `json:"next"`
	}
	w.moving.Lock()
	defer w.moving.Unlock()
	listed := []schedule{}
	for _, j := range w.jobs {
		listed = append(listed, schedule{j.function, j.cron, j.next})
	}
	return pretty(rw, map[string]any{"schedules": listed})
}

func (w *World) listPeople(rw http.ResponseWriter, r *http.Request) error {
	states, err := w.directory.List(r.Context())
	if err != nil {
		return err
	}
	return pretty(rw, map[string]any{"people": states})
}

// change is the body of a change in the directory: one of the marks set, or an action by name.
type change struct {
	Email     string        `json:"email"`
	Action    people.Change `json:"action"`
	Suspended *bool         `json:"suspended"`
	TwoStep   *bool         `json:"two_step"`
	Removed   *bool         `json:"removed"`
}

func (c change) changes() []people.Change {
	var all []people.Change
	if c.Action != "" {
		all = append(all, c.Action)
	}
	for _, mark := range []struct {
		set     *bool
		on, off people.Change
	}{{c.Suspended, people.Suspend, people.Unsuspend}, {c.TwoStep, people.TwoStepOn, people.TwoStepOff}, {c.Removed, people.Remove, people.Restore}} {
		switch {
		case mark.set == nil:
		case *mark.set:
			all = append(all, mark.on)
		default:
			all = append(all, mark.off)
		}
	}
	return all
}

// changePerson changes an account in the directory. A suspension is felt at the next look, within a minute.
func (w *World) changePerson(rw http.ResponseWriter, r *http.Request) error {
	var body change
	if err := decode(rw, r, &body); err != nil {
		return err
	}
	changes := body.changes()
	if len(changes) == 0 {
		return fault.Refuse(fault.Invalid, "body_invalid", "Nothing is changed.", `Send {"email", "suspended": true}, "two_step": false or "removed": true.`)
	}
	for _, c := range changes {
		if err := w.directory.Change(r.Context(), strings.ToLower(body.Email), c); err != nil {
			return err
		}
	}
	return w.listPeople(rw, r)
}

func (w *World) deadLetters(rw http.ResponseWriter, _ *http.Request) error {
	dead, err := w.bus.DeadLetters()
	if err != nil {
		return err
	}
	type letter struct {
		ID       string    `json:"id"`
		Function string    `json:"function"`
		Topic    string    `json:"topic"`
		At       time.Time `json:"at"`
		Attempts int       `json:"attempts"`
		Why      string    `json:"why"`
	}
	listed := []letter{}
	for _, d := range dead {
		listed = append(listed, letter{d.Name(), d.Function, d.Topic, d.Published, d.Attempts, d.Why})
	}
	return pretty(rw, map[string]any{"dead_letters": listed})
}

func (w *World) redeliver(rw http.ResponseWriter, r *http.Request) error {
	var body struct {
		Function string   `json:"function"`
		IDs      []string `json:"ids"`
	}
	if err := decode(rw, r, &body); err != nil {
		return err
	}
	count, err := w.bus.Redeliver(body.Function, body.IDs...)
	if err != nil {
		return err
	}
	return web.WriteJSON(rw, http.StatusOK, map[string]int{"redelivered": count})
}
