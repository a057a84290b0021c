package functiontest

import (
	"fmt"
	"sync"
	"testing"
	"testing/fstest"

	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

// company is the sample company whose policy is in force.
const company = "sharedcontacts"

// loaded are the policies that were read, by the files that were replaced: nobody changes a policy, so Worlds that want the
// same may have the same one.
var loaded struct {
	sync.Mutex
	policies map[string]*policy.Policy
}

// load returns the sample company's policy with some files replaced, and those without a text taken out.
func load(t testing.TB, replaced map[string]string) *policy.Policy {
	t.Helper()
	key := fmt.Sprint(replaced) // in the order of the names
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.policies == nil {
		loaded.policies = map[string]*policy.Policy{}
	}
	if loaded.policies[key] == nil {
		loaded.policies[key] = read(t, replaced)
	}
	return loaded.policies[key]
}

func read(t testing.TB, replaced map[string]string) *policy.Policy {
	t.Helper()
	files := fstest.MapFS{}
	for _, folder := range []string{company, policies.StarterFolder} {
		sample, err := policies.FS.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range sample {
			copyFile(t, files, folder+"/"+entry.Name(), entry.IsDir())
		}
	}
	for name, text := range replaced {
		if files[company+"/"+name] = (&fstest.MapFile{Data: []byte(text)}); text == "" {
			delete(files, company+"/"+name)
		}
	}
	p, problems, err := policy.Load(files, company)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		if !problem.Dangling {
			t.Fatal(problem)
		}
	}
	return p
}

func copyFile(t testing.TB, files fstest.MapFS, path string, isDir bool) {
	t.Helper()
	if isDir {
		entries, err := policies.FS.ReadDir(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			copyFile(t, files, path+"/"+entry.Name(), entry.IsDir())
		}
		return
	}
	data, err := policies.FS.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files[path] = &fstest.MapFile{Data: data}
}
