package main

import (
	"bytes"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

func TestRun(t *testing.T) {
	t.Parallel()
	archive, err := txtar.ParseFile("../rules/testdata/good.txtar")
	if err != nil {
		t.Fatal(err)
	}
	tree := fstest.MapFS{}
	for _, f := range archive.Files {
		tree[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	good, err := os.ReadFile("../rules/testdata/environments-staging.json")
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Replace(string(good), `"ALLOW_INTERNAL_ONLY"`, `"ALLOW_ALL"`, 1)
	for _, c := range []struct {
		what, text  string
		args        []string
		status      int
		out, errors string
	}{
		{"a plan that keeps the rules", string(good), []string{"environments/staging", "plan.json"}, 0, "environments/staging keeps all ", ""},
		{"one that breaks one", bad, []string{"environments/staging", "plan.json"}, 1, `ingress: module.function["`, ""},
		{"no plan", "{}", []string{"environments/staging", "plan.json"}, 2, "", "terraform show -json"},
		{"no folder of this tree", string(good), []string{"environments/other", "plan.json"}, 2, "", "environments/other"},
		{"no arguments", "", nil, 64, "", "usage"},
	} {
		var out, complain bytes.Buffer
		read := func(string) ([]byte, error) { return []byte(c.text), nil }
		if status := run(tree, read, c.args, &out, &complain); status != c.status || !strings.Contains(out.String(), c.out) || !strings.Contains(complain.String(), c.errors) || c.errors == "" && complain.Len() > 0 {
			t.Errorf("%s: status %d\n%s%s", c.what, status, &out, &complain)
		}
	}
	var out, complain bytes.Buffer
	missing := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	if status := run(tree, missing, []string{"org", "none.json"}, &out, &complain); status != 2 || !strings.Contains(complain.String(), "reading the plan") {
		t.Errorf("a plan that is not there: %d, %s", status, &complain)
	}
}
