package parts

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
)

// Meant is the id in a message about a request. Invalid: there is none, or it is another tenant's, which has been told.
func (p *Parts) Meant(ctx context.Context, e event.Event) (string, error) {
	var n request.Notice
	if err := json.Unmarshal(e.Data, &n); err != nil || n.Request == "" {
		return "", fault.New(fault.Invalid, "reading a message of %s: not the JSON of one", e.Topic)
	}
	requests, err := p.Requests(ctx)
	if err != nil {
		return "", err
	}
	id, err := requests.Meant(ctx, n, p.Clock.Now())
	if fault.CodeOf(err) == "other_tenant" {
		return "", fault.New(fault.Invalid, "reading a message of %s: it names another tenant than its request's", e.Topic)
	}
	return id, Understood(err)
}

// Understood keeps an error of ours from reading as if the message could never be understood.
func Understood(err error) error { return machine.Understood("working on a request", err) }

// mostAgain is how often one message asks for the rest: days of work. Whoever gets nowhere by then is called by the schedule,
// each ten minutes.
const mostAgain = 1_000

// Again answers a message whose work is not done: it asks for the rest by one of its own, so that no call outlasts its time.
// What waits for a store, or is in somebody else's hands, is asked for by the schedule.
func (p *Parts) Again(ctx context.Context, e event.Event, again bool, err error) error {
	switch {
	case errors.Is(err, run.ErrLater):
		return nil
	case err != nil:
		return Understood(err)
	case !again:
		return nil
	}
	// A message that comes twice asks for the rest once; each of them has a key of its own.
	first, nth, _ := strings.Cut(e.ID, "/again/")
	n, _ := strconv.Atoi(nth) // 0 of the first
	if n >= mostAgain {
		return nil
	}
	key := first + "/again/" + strconv.Itoa(n+1)
	return p.Bus.Publish(ctx, e.Topic, bus.Message{Data: e.Data, Attributes: map[string]string{bus.AttributeID: key}})
}
