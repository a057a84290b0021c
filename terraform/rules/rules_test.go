package rules

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"ostiary.internal/shared/platform/require"
	"ostiary.internal/terraform/plan"
)

// TestGoodPlans: plans that keep every rule are taken, and every rule found something in them to look at.
func TestGoodPlans(t *testing.T) {
	t.Parallel()
	tree, plans := small(t)
	for folder, text := range plans {
		keeps(t, tree, folder, text)
	}
}

// TestFirstApply: before there is any archive, what functions stand on keeps the rules as well.
func TestFirstApply(t *testing.T) {
	t.Parallel()
	tree, plans := small(t)
	e := newBases(t, tree, plans).edit(t, folders[0])
	e.shown.Changes = slices.DeleteFunc(e.shown.Changes, func(c plan.Change) bool {
		return strings.HasPrefix(c.Module, "module.function[") || c.Module == "module.monitoring"
	})
	for _, rule := range All() {
		if strings.HasPrefix(e.folder, rule.folders) {
			for _, p := range e.check(rule).Problems {
				t.Error(p)
			}
		}
	}
}

// TestWhatMayGo: a release may take away what holds nothing, as the subscription of a trigger that is no more.
func TestWhatMayGo(t *testing.T) {
	t.Parallel()
	tree, plans := small(t)
	for _, kind := range []string{push + ` push["lease.changed"]`, alert + ` failing["registerip"]`, account + ` invoker`} {
		e := newBases(t, tree, plans).edit(t, folders[0])
		typed, holds, _ := strings.Cut(kind, " ")
		e.act(typed, holds, "delete")
		if v := e.check(Rule{"kept", "", "", kept}); len(v.Problems) > 0 || e.untouched {
			t.Errorf("%s: %v", kind, v.Problems)
		}
	}
}

// keeps holds a plan against all rules.
func keeps(t *testing.T, tree fs.FS, folder string, text []byte) {
	t.Helper()
	in, err := Load(tree, folder, text)
	if err != nil {
		t.Fatal(err)
	}
	verdicts := Check(in)
	for _, v := range verdicts {
		for _, p := range v.Problems {
			t.Error(p)
		}
		if v.Seen == 0 && v.Rule.folders != "" {
			t.Errorf("%s looked at nothing: what it reads is called otherwise here", v.Rule.Name)
		}
	}
	if len(verdicts) == 0 {
		t.Error("no rule holds for this folder")
	}
}

// TestEachRuleIsBroken: a rule that nothing breaks here might be one that nothing breaks at all.
func TestEachRuleIsBroken(t *testing.T) {
	t.Parallel()
	names := map[string]int{}
	for _, rule := range All() {
		if names[rule.Name]++; names[rule.Name] > 1 {
			t.Errorf("two rules are called %s", rule.Name)
		}
		if !strings.HasSuffix(rule.Promise, ".") {
			t.Errorf("%s: %q is no sentence", rule.Name, rule.Promise)
		}
	}
	broken := map[string]bool{}
	for _, p := range plantings {
		if names[p.rule] == 0 {
			t.Errorf("%s: there is no such rule", p.rule)
		}
		broken[p.rule] = true
	}
	for name := range names {
		if !broken[name] {
			t.Errorf("%s: nothing that breaks it is planted", name)
		}
	}
}

// TestPlanted: each thing that is planted in the good plan is found by the rule that is there for it.
func TestPlanted(t *testing.T) {
	t.Parallel()
	tree, plans := small(t)
	plantAll(t, tree, plans, func(p planting, e *edit) {
		if e.untouched {
			t.Errorf("%s: %s: there is nothing to change", p.rule, p.what)
		}
	})
}

// plantAll plants each thing in a plan of a folder that its rule holds for.
func plantAll(t *testing.T, tree fstest.MapFS, plans map[string][]byte, planted func(planting, *edit)) {
	t.Helper()
	rules := map[string]Rule{}
	for _, rule := range All() {
		rules[rule.Name] = rule
	}
	base := newBases(t, tree, plans)
	for _, p := range plantings {
		folder := folders[0]
		if of := rules[p.rule].folders; slices.Contains(folders, of) {
			folder = of
		}
		e := base.edit(t, folder)
		p.plant(e)
		planted(p, e)
		if e.untouched {
			continue
		}
		if v := e.check(rules[p.rule]); len(v.Problems) == 0 {
			t.Errorf("%s: %s, and the rule does not see it", p.rule, p.what)
		}
	}
}

const top = "../.."

// plans are those made of the tree, as files NAME.json in the folder that OSTIARY_PLANS names.
func plans(t *testing.T) map[string][]byte {
	t.Helper()
	dir := os.Getenv("OSTIARY_PLANS")
	require.Given(t, "plans of this tree in the folder OSTIARY_PLANS: .ci/plans makes them", dir != "")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		folder := strings.NewReplacer("environments-", "environments/", "modules-", "modules/").Replace(strings.TrimSuffix(filepath.Base(file), ".json"))
		all[folder] = text
	}
	return all
}

// TestPlans: what the tree plans keeps every rule.
func TestPlans(t *testing.T) {
	t.Parallel()
	all := plans(t)
	for _, folder := range []string{"environments/staging", "environments/live", "org", "bootstrap"} {
		if all[folder] == nil {
			t.Errorf("there is no plan of %s", folder)
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(all)) {
		t.Run(folder, func(t *testing.T) { keeps(t, os.DirFS(top), folder, all[folder]) })
	}
}

// TestPlantedInPlans: the same things planted in what the tree plans are found there as well. What is changed in the text of
// the small configuration is not tried: this one is written otherwise.
func TestPlantedInPlans(t *testing.T) {
	t.Parallel()
	all := plans(t)
	for _, folder := range folders {
		if all[folder] == nil {
			t.Fatalf("there is no plan of %s", folder)
		}
	}
	tree := fstest.MapFS{}
	for _, form := range []string{"functions/*/*/function.json", "terraform/*/*/*.tf", "terraform/*/*.tf"} {
		files, err := fs.Glob(os.DirFS(top), form)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			data, err := os.ReadFile(filepath.Join(top, name))
			if err != nil {
				t.Fatal(err)
			}
			tree[name] = &fstest.MapFile{Data: data}
		}
	}
	tried := 0
	plantAll(t, tree, all, func(_ planting, e *edit) {
		if !e.untouched {
			tried++
		}
	})
	if tried < len(plantings)*3/4 {
		t.Errorf("only %d of %d could be planted: the small plan is not like this one any more", tried, len(plantings))
	}
}
