package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestOddFolder: a data folder and a policy folder of any name are just that. What one process kept in it the next one and
// the commands find, and nothing lands beside.
func TestOddFolder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir, policies := filepath.Join(root, "our data #1, 50%25?a=b&c"), filepath.Join(root, "policies #2?")
	if err := os.CopyFS(policies, os.DirFS(samples)); err != nil {
		t.Fatal(err)
	}
	policy := filepath.Join(policies, "sharedcontacts")
	o := options{dir: dir, policy: policy}
	s := must[*server](t)(launch(o))
	emma := must[*person](t)(bind(s, "emma", "81.2.70.1"))
	code := must[string](t)(emma.device.code(must[time.Time](t)(s.now())))
	if a, err := emma.register(s, code, "once"); err != nil || a.status != http.StatusCreated {
		t.Fatalf("registering: %s, %v", a, err)
	}
	must[answer](t)(s.local("POST", "clock", map[string]string{"advance": "2m"}))
	must[answer](t)(s.local("POST", "settle", nil))
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{
		"ostiary.db", "mail.db", "secrets", "keys/secrets", "keys/otp", "keys/checkpoints", "allowlist/edge/allowlist.json", "evidence/tiles", "evidence/head", "assets",
	} {
		if _, err := os.Stat(filepath.Join(dir, kept)); err != nil {
			t.Error(err)
		}
	}
	asked(t, root, 0, "check", "--policy", policy)
	asked(t, root, 0, "evidence", "accept-rewind", "--data", dir)
	asked(t, root, 0, "evidence", "bundle", filepath.Join(dir, "bundle"), "--data", dir)
	asked(t, root, 0, "erase", "replay", "--policy", policy, "--data", dir, "--taken", start)
	s = must[*server](t)(launch(o))
	if a := must[answer](t)(s.local("GET", "allowlist", nil)); !strings.Contains(a.String(), "81.2.70.1") {
		t.Errorf("after a restart the allow-list is %s", a)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(root)
	if err != nil || len(entries) != 2 {
		t.Errorf("beside the two folders: %v, %v", entries, err)
	}
}
