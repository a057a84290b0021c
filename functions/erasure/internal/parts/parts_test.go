package parts_test

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/erasure/purgeexpired"
	"ostiary.internal/functions/erasure/runerasure"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
)

// deps are what a function is built from, with other variables.
func deps(t *testing.T, function wiring.Function, name string, env map[string]string) *wiring.Deps {
	t.Helper()
	w := functiontest.New(t, functiontest.Setup{Functions: []wiring.Function{function}, Env: map[string]string{"OSTIARY_LEDGER": "world:ledger"}})
	d := *w.Deps(name)
	d.Env = func(variable string) (string, bool) {
		if value, set := env[variable]; set {
			return value, true
		}
		return w.Deps(name).Env(variable)
	}
	return &d
}

// TestRefused: sample data never stands for the product's where a function is deployed, and links go nowhere else than a site.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{
		"sample data, deployed": {"K_SERVICE": "runerasure", parts.EnvData: "bolt:x?tree="},
		"no address":            {wiring.EnvURL: ""},
		"another scheme":        {wiring.EnvURL: "ftp://ostiary.example"},
		"a path":                {wiring.EnvURL: "https://ostiary.example/pages"},
		"somebody's account":    {wiring.EnvURL: "https://ada@ostiary.example"},
	} {
		if _, err := parts.New(deps(t, runerasure.Function, "runerasure", env)); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOnlyWhatIsGiven: a function that was given no secret of marks, or no key of letters, has no requests; whoever
// may erase gets no engine without the ledger.
func TestOnlyWhatIsGiven(t *testing.T) {
	t.Parallel()
	d := deps(t, purgeexpired.Function, "purgeexpired", nil)
	p, err := parts.New(d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Requests(t.Context()); err == nil || !strings.Contains(err.Error(), "erasure-mark") {
		t.Errorf("requests without the secret of marks: %v", err)
	}
	d.MessageKeys = nil
	if p, err = parts.New(d); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Requests(t.Context()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("requests without the key of letters: %v", err)
	}
	if _, err := p.Engine(t.Context()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("the engine: %v", err)
	}
}

// TestLongest: the ledger is kept as long as the longest backup.
func TestLongest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		days []int
		want time.Duration
	}{{nil, ledger.LeastKeep}, {[]int{7, 90}, 90 * 24 * time.Hour}} {
		m := &datamap.Map{}
		for _, days := range c.days {
			m.Backups = append(m.Backups, datamap.Backup{Days: days})
		}
		if got := parts.Longest(m); got != c.want {
			t.Errorf("%v: %s", c.days, got)
		}
	}
}

// TestAgain: each message that asks for the rest has a key of its own, which does not grow, and one that comes twice asks once.
func TestAgain(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, functiontest.Setup{Functions: []wiring.Function{runerasure.Function}, Env: map[string]string{"OSTIARY_LEDGER": "world:ledger"}})
	p, err := parts.New(w.Deps("runerasure"))
	if err != nil {
		t.Fatal(err)
	}
	e := event.Event{ID: "erasure.run/x/1", Topic: request.TopicRun, Data: []byte(`{"v":1,"request":"aaaaaaaa"}`)}
	for range 3 {
		if err := p.Again(t.Context(), e, true, nil); err != nil {
			t.Fatal(err)
		}
		if err := p.Again(t.Context(), e, true, nil); err != nil {
			t.Fatal(err)
		}
		all := w.Published(request.TopicRun)
		e.ID = all[len(all)-1].Message.Attributes[bus.AttributeID]
	}
	keys := map[string]bool{}
	for _, m := range w.Published(request.TopicRun) {
		keys[m.Message.Attributes[bus.AttributeID]] = true
	}
	if len(keys) != 3 || strings.Count(e.ID, "/again/") != 1 {
		t.Errorf("keys %v", keys)
	}
}
