package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/policy"
)

// slow is what no input may take; a loaded machine stretches times, so it is far above the usual milliseconds.
const slow = 10 * time.Second

// FuzzLoad: no file makes Load panic, take long, or tell a problem without a place; and loading is repeatable.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{hostile + "/*.yaml", "../../testdata/policies/*/*.yaml", "../../testdata/policies/*/promises/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal("no seeds", err)
		}
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	company := starter(f)["acme/company.yaml"]
	f.Fuzz(func(t *testing.T, data []byte) {
		begin := time.Now()
		defer func() {
			if took := time.Since(begin); took > slow {
				t.Errorf("%d bytes took %s", len(data), took)
			}
		}()
		folder := fstest.MapFS{"acme/company.yaml": company, "acme/rules/a.yaml": {Data: data}}
		for _, name := range []string{"people", "tenants", "services", "promises/a"} {
			folder["acme/"+name+".yaml"] = &fstest.MapFile{Data: data}
		}
		p, problems := loadAgain(t, folder)
		var into shapes
		_, more := p.Decode("rules/a.yaml", &into)
		for _, problem := range append(problems, more...) {
			if problem.Line < 1 || problem.Column < 1 || problem.Key == "" || problem.What == "" || problem.Line > 1+strings.Count(string(data), "\n")+len(company.Data) {
				t.Errorf("a problem without a place: %#v", problem)
			}
		}
		folder["acme/company.yaml"] = &fstest.MapFile{Data: data}
		loadAgain(t, folder)
	})
}

func loadAgain(t *testing.T, folder fstest.MapFS) (*policy.Policy, []policy.Problem) {
	p, problems, err := policy.Load(folder, "acme")
	if err != nil {
		t.Fatal(err)
	}
	again, same, err := policy.Load(folder, "acme")
	if err != nil || again.Digest != p.Digest || len(same) != len(problems) {
		t.Fatalf("loading twice differs: %v", err)
	}
	for i := range same {
		if same[i] != problems[i] {
			t.Fatalf("loading twice differs: %s, %s", problems[i], same[i])
		}
	}
	return p, problems
}

// TestBoundedTime: the costliest files cost seconds at worst, and never the whole machine. The soak tries the size limit.
func TestBoundedTime(t *testing.T) {
	t.Parallel()
	size := min(1<<15*require.Seeds(4), 1<<20) - 10
	fill := func(head, item string) string { return head + strings.Repeat(item, (size-len(head))/len(item)) }
	for name, data := range map[string]string{
		"people.yaml":         fill("people:\n", "- {id: a,manager: b}\n"),
		"tenants.yaml":        fill("tenants:\n", "- {}\n"),
		"services.yaml":       fill("services: [{may: [", "a, ") + "]}]",
		"promises/chain.yaml": fill("promises:\n", "- {kept_by: [{rollup: A}]}\n"),
		"rules/open.yaml":     fill("", "["),
		"rules/keys.yaml":     fill("{", "a,"),
		"rules/alias.yaml":    fill("- &a {b: c}\n", "- *a\n"),
	} {
		folder := starter(t)
		folder["acme/"+name] = &fstest.MapFile{Data: []byte(data)}
		begin := time.Now()
		_, problems, err := policy.Load(folder, "acme")
		if err != nil || len(problems) == 0 {
			t.Errorf("%s: %d problems, %v", name, len(problems), err)
		}
		t.Logf("%s: %d problems in %s", name, len(problems), time.Since(begin).Round(time.Millisecond))
	}
}
