package local

import (
	"context"
	"slices"
	"time"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/bus/local"
	"ostiary.internal/shared/platform/clock"
)

// Bus carries messages from function to function and pushes them, as package bus/local does and says.
type Bus interface {
	bus.Publisher
	// Subscribe is called before Deliver, once for each topic of each function.
	Subscribe(function, topic, filter string) error
	// Deliver pushes until ctx ends.
	Deliver(ctx context.Context, to local.Target) error
	// Idle waits until nothing is on its way that can arrive before the clock moves, or ctx ends.
	Idle(ctx context.Context) error
	Pending() (int, error)
	DeadLetters() ([]local.DeadLetter, error)
	Redeliver(function string, ids ...string) (int, error)
}

var _ Bus = (*local.Bus)(nil)

// Around has the functions stand on other things than this machine's own: where somebody tries out how they bear it when
// those fail. The zero Around changes nothing, and ostiary serve has no other.
type Around struct {
	// Bus opens what carries messages in place of the queue in a database file.
	Bus func(database string, c clock.Clock) (Bus, error)
	// Variable is what a function reads in place of the value that local mode gives to one of its variables.
	Variable func(name, value string) string
	// Patience is how long a call waits for everything to come to rest, asked anew at each: what was put off because of a
	// failure stays put off until the clock moves on.
	Patience func() time.Duration
	// Start is how long sending on what a killed process left may hold up the start, where a database may keep the locks of
	// that process for a minute; the schedules send the rest on. 0 waits for all of it.
	Start time.Duration
}

func (a Around) bus(database string, c clock.Clock) (Bus, error) {
	if a.Bus != nil {
		return a.Bus(database, c)
	}
	return local.Open(database, c)
}

func (a Around) variable(name, value string) string {
	if a.Variable == nil {
		return value
	}
	return a.Variable(name, value)
}

// patient is how long to wait at the most where it would be some time otherwise.
func (a Around) patient(otherwise time.Duration) time.Duration {
	if a.Patience == nil {
		return otherwise
	}
	return min(a.Patience(), otherwise)
}

// begin sends on what a killed process left.
func (w *World) begin(ctx context.Context) error {
	if w.options.Around.Start == 0 {
		return w.takeOver(ctx)
	}
	limited, cancel := context.WithTimeout(ctx, w.options.Around.Start)
	defer cancel()
	if err := w.takeOver(limited); err != nil {
		w.log.WarnContext(ctx, "what an earlier process left is sent on later", "error", err)
	}
	return nil
}

// personal are the variables that whoever starts the process may set: where client addresses stand, by which hosts each
// family comes, and what is public.
var personal = []string{wiring.EnvClient, wiring.EnvSourceCap, "OSTIARY_PUBLIC_ENTRIES", "OSTIARY_PAIR_HOSTS", "OSTIARY_OWN_ADDRESSES"}

// looked looks a variable of a function up: what the person who started the process says, if she may, and then what local
// mode gives.
func (w *World) looked(set map[string]string, own wiring.Env) wiring.Env {
	return func(name string) (string, bool) {
		if value, ok := own(name); ok && value != "" && slices.Contains(personal, name) {
			return value, true
		}
		value, ok := set[name]
		return w.options.Around.variable(name, value), ok
	}
}
