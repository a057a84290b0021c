package functiontest

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/writers"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
)

// said is what was put on record in all Worlds of a test, by writer: kinds about a control, or about what a policy binds to
// a mechanism, as manifests list them.
var said = &scopes{by: map[string]map[string]bool{}}

type scopes struct {
	mu sync.Mutex
	by map[string]map[string]bool
}

// note remembers a record, which its writer may write.
func (s *scopes) note(all record.Writers, writer string, r record.Record, p *policy.Policy) {
	part := r.Control
	if _, named := all[writer].Controls[r.Control]; !named {
		part = "bound " + r.Of()
		if certificate := "certificate"; !slices.Contains(writers.Names(p)[r.Of()], r.Control) && slices.Contains(writers.Names(p)[certificate], r.Control) {
			part = "bound " + certificate // a step of the duty that files it
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by[writer] == nil {
		s.by[writer] = map[string]bool{}
	}
	s.by[writer][part+": "+string(r.Kind)] = true
}

// Main runs the tests of a function's package. Where all of them ran well, it holds the manifest to them: what a function
// may put on record, it put there in a test. elsewhere lists what these tests cannot show, as "control: kind" or
// "bound mechanism: kind", each with the reason.
func Main(m *testing.M, function []byte, elsewhere map[string]string) int {
	code := m.Run()
	for _, part := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(part); code != 0 || f != nil && f.Value.String() != "" {
			return code // not all of them ran
		}
	}
	f, err := manifest.Parse(function)
	if err != nil || f.Evidence == nil {
		fmt.Fprintln(os.Stderr, "functiontest: no function that writes evidence:", err)
		return 1
	}
	for _, wrong := range said.wrong(f.Name, *f.Evidence, elsewhere) {
		fmt.Fprintf(os.Stderr, "--- FAIL: %s: %s\n", f.Name, wrong)
		code = 1
	}
	return code
}

// wrong is what a scope lists and no test wrote, and what is excused for nothing.
func (s *scopes) wrong(function string, listed record.Scope, elsewhere map[string]string) (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	may := map[string]bool{}
	for prefix, part := range map[string]map[string][]record.Kind{"": listed.Controls, "bound ": listed.Bound} {
		for name, kinds := range part {
			for _, kind := range kinds {
				may[prefix+name+": "+string(kind)] = true
			}
		}
	}
	for _, pair := range slices.Sorted(maps.Keys(may)) {
		if !s.by[function][pair] && elsewhere[pair] == "" {
			all = append(all, "its manifest lets it put on record, and no test does: "+pair)
		}
	}
	for _, pair := range slices.Sorted(maps.Keys(elsewhere)) {
		if !may[pair] || s.by[function][pair] {
			all = append(all, "is excused for nothing: "+pair)
		}
	}
	return all
}
