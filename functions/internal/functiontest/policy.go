package functiontest

import (
	"sync"
	"testing"
	"testing/fstest"

	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

// company is the sample company whose policy is in force.
const company = "sharedcontacts"

// sample is the sample company's policy as it is: nobody changes a policy, so every World may have the same one.
var sample struct {
	sync.Mutex
	policy *policy.Policy
}

// load returns the sample company's policy with some files replaced.
func load(t testing.TB, replaced map[string]string) *policy.Policy {
	t.Helper()
	if len(replaced) > 0 {
		return read(t, replaced)
	}
	sample.Lock()
	defer sample.Unlock()
	if sample.policy == nil {
		sample.policy = read(t, nil)
	}
	return sample.policy
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
		files[company+"/"+name] = &fstest.MapFile{Data: []byte(text)}
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
