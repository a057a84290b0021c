package declarebreach

import (
	"net/http"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/breach/drill"
	"ostiary.internal/shared/platform/web"
)

// Drilled lists exercises and tests of the channels.
type Drilled struct {
	Drills []Drill `json:"drills" doc:"newest first; at most 100"`
}

// Drill is one exercise, or one test of the channels.
type Drill struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind" enum:"exercise,channels"`
	State  string    `json:"state" enum:"running,passed,failed,unread"`
	Begun  time.Time `json:"begun"`
	Case   string    `json:"case,omitempty" doc:"of an exercise"`
	Number string    `json:"number,omitempty"`
	Steps  []Step    `json:"steps,omitempty"`
	Tries  []Sounded `json:"channels,omitempty"`
	Ended  time.Time `json:"ended,omitzero"`
}

// Step is one thing to be done in an exercise.
type Step struct {
	Name  string    `json:"name" enum:"ack,approve,deliver"`
	Limit int64     `json:"limit_s" doc:"seconds from the beginning"`
	At    time.Time `json:"at,omitzero" doc:"when it was done"`
}

// Sounded is one channel in a test.
type Sounded struct {
	Channel string    `json:"channel"`
	Reached string    `json:"reached" enum:"sent,accepted,confirmed,lost"`
	Why     string    `json:"why,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

// Seen says that the message of a test was read.
type Seen struct {
	Channel string `json:"channel" required:"true" enum:"mail,sms,chat"`
}

// drillsAPI is the table of the JSON interface of drills.
func (k *desk) drillsAPI() []web.Route {
	return []web.Route{
		k.route("GET", "/drills", "List exercises and tests of the channels.", nil, map[int]any{200: Drilled{}}, k.looking(k.drills), "role_missing"),
		k.route("POST", "/drills/{id}/confirm", "Say that you read the message of a test.", Seen{}, map[int]any{200: Drill{}}, k.confirm, "drill_unknown", "channel_unknown", "not_allowed"),
	}
}

func (k *desk) drills(w http.ResponseWriter, r *http.Request, _ caller.Staff) error {
	found, err := k.Drills.List(r.Context(), nil, listPage)
	if err != nil {
		return err
	}
	all := Drilled{Drills: []Drill{}}
	for _, d := range found {
		all.Drills = append(all.Drills, drilled(d))
	}
	return web.WriteJSON(w, http.StatusOK, all)
}

func (k *desk) confirm(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	body, _, err := web.DecodeBody[Seen](w, r)
	if err != nil {
		return err
	}
	d, err := k.Drills.Confirm(r.Context(), who.Person, r.PathValue("id"), body.Channel, k.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, drilled(d))
}

func drilled(d drill.Drill) Drill {
	told := Drill{ID: d.ID, Kind: string(d.Kind), State: string(d.State), Begun: d.Begun, Case: d.Case, Number: d.Number, Ended: d.Ended}
	for _, s := range d.Steps {
		told.Steps = append(told.Steps, Step{s.Name, int64(s.Limit / time.Second), s.At})
	}
	for _, t := range d.Tries {
		told.Tries = append(told.Tries, Sounded{t.Channel, string(t.Reached), t.Why, t.At})
	}
	return told
}
