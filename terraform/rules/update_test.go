package rules

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/fstest"

	"ostiary.internal/terraform/plan"
)

var update = flag.Bool("update", false, "plan the small configuration anew, with the terraform and the provider that TF_CLI_CONFIG_FILE names")

// TestUpdate writes the plans in testdata from testdata/good.txtar, where that is asked for; otherwise it holds them to be of that
// configuration: each resource stands in it.
func TestUpdate(t *testing.T) {
	tree, plans := small(t)
	if *update {
		planAnew(t, tree)
		return
	}
	for folder, text := range plans {
		in, err := Load(tree, folder, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range in.Plan.Resources {
			if _, found := in.Plan.Block(r); !found {
				t.Errorf("%s stands in no file: plan anew with -update", r.Address)
			}
		}
	}
}

func planAnew(t *testing.T, tree fstest.MapFS) {
	t.Helper()
	dir := t.TempDir()
	for name, file := range tree {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range folders {
		terraform := func(args ...string) []byte {
			t.Helper()
			cmd := exec.Command("terraform", args...)
			cmd.Dir = filepath.Join(dir, "terraform", folder)
			cmd.Env = append(os.Environ(), "GOOGLE_OAUTH_ACCESS_TOKEN=none", "CHECKPOINT_DISABLE=1")
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("terraform %v in %s: %v\n%s", args, folder, err, out)
			}
			return out
		}
		terraform("get")
		terraform("plan", "-refresh=false", "-input=false", "-out=plan")
		if err := os.WriteFile(planOf(folder), shortened(t, terraform("show", "-json", "plan")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// shortened is a plan with what rules read of it.
func shortened(t *testing.T, text []byte) []byte {
	t.Helper()
	var whole plan.Shown
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	for _, c := range whole.Changes {
		dense(c.Change.After, true)
		dense(c.Change.Unknown, false)
	}
	out, err := json.MarshalIndent(whole, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

// dense leaves out what says nothing: what has no value, and of what is only known later, that it is known. It tells whether
// anything is left.
func dense(value any, no bool) bool {
	switch v := value.(type) {
	case nil:
		return false
	case bool:
		return v || no
	case map[string]any:
		for name, each := range v {
			if !dense(each, no) {
				delete(v, name)
			}
		}
		return len(v) > 0
	case []any:
		return len(v) > 0
	}
	return true
}
