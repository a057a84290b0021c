package rule

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"ostiary.internal/shared/watch/auditlog"
)

// BenchmarkEvaluate holds a stream against forty rules, a third of them with windows. One operation is one entry; a
// fifth of the entries match.
func BenchmarkEvaluate(b *testing.B) {
	rules := map[string]string{}
	for i := range 40 {
		verb := fmt.Sprintf("act%d", i%10)
		switch i % 6 {
		case 0:
			rules[fmt.Sprint("r", i)] = rule(verb, "window: {kind: distinct, of: app.user, at_least: 5, within: PT15M}")
		case 1:
			rules[fmt.Sprint("r", i)] = rule(verb, "when: actor.kind == \"human\"\nwindow: {kind: count, at_least: 20, within: PT15M}")
		case 2:
			rules[fmt.Sprint("r", i)] = rule(`"*"`[:1]+verb[:3]+`*"`, `when: 'actor.email.endsWith("@elsewhere.example") && !cidr(ip, ["192.0.2.0/24"])'`)
		default:
			rules[fmt.Sprint("r", i)] = rule(verb, `when: 'delta.exists(d, d.change == "added" && (public(d.member) || ext(d.member) && privileged(d.role)))'`)
		}
	}
	s := set(b, rules)
	r := rand.New(rand.NewPCG(1, 2))
	entries := make([]*auditlog.Entry, 20_000)
	for i := range entries {
		verb := fmt.Sprintf("act%d", r.IntN(50))
		entries[i] = entry(fmt.Sprint("e", i), verb, fmt.Sprintf("person%d@firm.example", r.IntN(50)), fmt.Sprint("u", r.IntN(100)), time.Duration(i)*100*time.Millisecond)
	}
	memory := NewLocal()
	b.ReportAllocs()
	b.ResetTimer()
	hits := 0
	for i := range b.N {
		if i%len(entries) == 0 {
			memory = NewLocal()
		}
		e := entries[i%len(entries)]
		found, err := s.Evaluate(b.Context(), e, memory, e.Time)
		if err != nil {
			b.Fatal(err)
		}
		hits += len(found)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(float64(hits)/float64(b.N), "hits/entry")
}
