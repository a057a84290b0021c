package rules

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"ostiary.internal/terraform/plan"
)

// folders are those that the small plans beside the tests are of.
var folders = []string{"environments/staging", "bootstrap", "org"}

// edit is a plan that something is changed in before rules look at it.
type edit struct {
	t         testing.TB
	folder    string
	shown     plan.Shown
	tree      fstest.MapFS
	manifests []Manifest
	untouched bool // something was to be changed that is not there
}

// small is the configuration beside the tests, and its plans by folder: five functions, one of each kind of callers and one that
// seals evidence, what they stand on, and what is set up around them. README.md tells how they are made.
func small(t testing.TB) (fstest.MapFS, map[string][]byte) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/good.txtar")
	if err != nil {
		t.Fatal(err)
	}
	tree := fstest.MapFS{}
	for _, f := range archive.Files {
		tree[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	plans := map[string][]byte{}
	for _, folder := range folders {
		text, err := os.ReadFile(planOf(folder))
		if err != nil && !*update {
			t.Fatal(err)
		}
		plans[folder] = text
	}
	return tree, plans
}

// planOf is the file of a small plan.
func planOf(folder string) string {
	return "testdata/" + strings.ReplaceAll(folder, "/", "-") + ".json"
}

// bases are a configuration and its plans, read once for all that is planted in them.
type bases struct {
	tree      fstest.MapFS
	plans     map[string]plan.Shown // by folder
	manifests []Manifest
}

func newBases(t testing.TB, tree fstest.MapFS, plans map[string][]byte) bases {
	t.Helper()
	b := bases{tree: tree, plans: map[string]plan.Shown{}}
	for folder, text := range plans {
		var shown plan.Shown
		if err := json.Unmarshal(text, &shown); err != nil {
			t.Fatal(err)
		}
		b.plans[folder] = shown
	}
	all, err := Manifests(tree)
	if err != nil {
		t.Fatal(err)
	}
	b.manifests = all
	return b
}

// edit begins with what is there: nothing that is changed then is changed in it.
func (b bases) edit(t testing.TB, folder string) *edit {
	e := &edit{t: t, folder: folder, shown: b.plans[folder], tree: maps.Clone(b.tree), manifests: b.manifests}
	e.shown.Changes = slices.Clone(e.shown.Changes)
	e.shown.Variables = maps.Clone(e.shown.Variables)
	return e
}

// check holds the changed plan against one rule.
func (e *edit) check(rule Rule) Verdict {
	e.t.Helper()
	p, err := e.shown.Open(e.tree, "terraform/"+e.folder)
	if err != nil {
		e.t.Fatal(err)
	}
	return rule.Check(Input{e.folder, p, e.manifests})
}

// find is the first resource of a type whose address holds a text, as a copy that may be changed.
func (e *edit) find(kind, holds string) *plan.Change {
	for i := range e.shown.Changes {
		if c := &e.shown.Changes[i]; c.Type == kind && strings.Contains(c.Address, holds) {
			c.Change.After, _ = clone(c.Change.After).(map[string]any)
			c.Change.Unknown = clone(c.Change.Unknown)
			return c
		}
	}
	e.untouched = true
	return &plan.Change{}
}

// clone is a copy of what JSON decodes to, all the way down.
func clone(value any) any {
	switch v := value.(type) {
	case map[string]any:
		all := make(map[string]any, len(v))
		for name, each := range v {
			all[name] = clone(each)
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, each := range v {
			all[i] = clone(each)
		}
		return all
	}
	return value
}

// text is a known attribute of the account with an id.
func (e *edit) text(id, attribute string) string {
	e.t.Helper()
	for _, c := range e.shown.Changes {
		if c.Type == account && c.Change.After["account_id"] == id {
			text, _ := c.Change.After[attribute].(string)
			return text
		}
	}
	e.untouched = true
	return ""
}

// set gives an attribute a known value; nil leaves it out. Of lists, the first is meant.
func (e *edit) set(kind, holds string, value any, path ...string) {
	c := e.find(kind, holds)
	put(c.Change.After, value, path)
	put(c.Change.Unknown, nil, path)
}

func put(into any, value any, path []string) {
	if list, ok := into.([]any); ok {
		if len(list) == 0 {
			return
		}
		into = list[0]
	}
	object, ok := into.(map[string]any)
	switch {
	case !ok || object == nil:
	case len(path) > 1:
		if object[path[0]] == nil && value != nil {
			object[path[0]] = map[string]any{}
		}
		put(object[path[0]], value, path[1:])
	case value == nil:
		delete(object, path[0])
	default:
		object[path[0]] = value
	}
}

// drop takes a resource out of the plan.
func (e *edit) drop(kind, holds string) {
	address := e.find(kind, holds).Address
	e.shown.Changes = slices.DeleteFunc(e.shown.Changes, func(c plan.Change) bool { return c.Address == address })
}

// add puts a resource into the plan, in the module of one that is there.
func (e *edit) add(like, holds, kind string, after values) {
	c := plan.Change{Module: e.find(like, holds).Module, Mode: "managed", Type: kind, Name: "planted"}
	c.Address = strings.TrimPrefix(c.Module+"."+kind+".planted", ".")
	c.Change.Actions, c.Change.After = []string{"create"}, after
	e.shown.Changes = append(e.shown.Changes, c)
}

// grant puts a grant into the plan of a root that has resources of a type at its top.
func (e *edit) grant(like, kind string, after values) { e.add(like, "", kind, after) }

// act says what the apply would do with a resource.
func (e *edit) act(kind, holds string, actions ...string) {
	e.find(kind, holds).Change.Actions = actions
}

// write changes the text of a file.
func (e *edit) write(name, old, text string) {
	file := e.tree[name]
	if file == nil || !strings.Contains(string(file.Data), old) {
		e.untouched = true
		return
	}
	e.tree[name] = &fstest.MapFile{Data: []byte(strings.Replace(string(file.Data), old, text, 1))}
}
