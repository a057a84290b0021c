package episode

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Somebody acts as users of five customers. The window is full with the fifth; whoever looks into it is told of all five, by
// id or domain, and of the sixth that came after. Who is no customer is none.
func TestTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"many": ruled("act", "group: [actor.key]\nwindow: {kind: distinct, of: app.tenant, at_least: 6, within: PT30M}", "justify: actor")})
	for i, tenant := range []string{"t1", "T2.example", "stranger.example", "t3", "t4", "t5.example", "t6", "t6"} {
		at := time.Duration(i) * time.Minute
		w.to(at)
		e := act(fmt.Sprintf("e%d", i), "act", "ada", at)
		e.App.Tenant = tenant
		if i == 3 {
			e.Resource = "t7" // what an application names beside it
		}
		w.ingest(e)
	}
	if w.alarms() != 1 {
		t.Fatalf("%d alarms", w.alarms())
	}
	w.to(5 * time.Hour)
	w.tick()
	said := 0
	for _, m := range w.published {
		topic, data, _ := strings.Cut(m, " ")
		var s Suspicion
		if err := json.Unmarshal([]byte(data), &s); err != nil || topic != TopicSuspicion {
			t.Errorf("%s, %v", m, err)
		}
		if slices.Sort(s.Tenants); !slices.Equal(s.Tenants, []string{"t1", "t2", "t3", "t4", "t5", "t6", "t7"}) {
			t.Errorf("it names %q", s.Tenants)
		}
		said++
	}
	if said != 1 {
		t.Errorf("%d suspicions", said)
	}
}

// Of a great many customers the first are remembered, each once.
func TestMostTenants(t *testing.T) {
	t.Parallel()
	var w working
	for i := range MaxTenants + 5 {
		id := fmt.Sprint(i / 2 * 2 % (MaxTenants + 2))
		if changed := w.concern([]string{id, fmt.Sprint(i)}); changed != (i < MaxTenants) {
			t.Fatalf("%d: changed %v", i, changed)
		}
	}
	if len(w.Tenants) != MaxTenants {
		t.Errorf("%d customers", len(w.Tenants))
	}
}
