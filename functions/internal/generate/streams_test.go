package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEveryEnvironmentHasStreams: each has both files, and they say what Terraform reads of them.
func TestEveryEnvironmentHasStreams(t *testing.T) {
	t.Parallel()
	files, err := streams(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2*len(policies) {
		t.Errorf("%d files of %d environments", len(files), len(policies))
	}
	for _, environment := range []string{"staging", "live"} {
		var watched struct {
			Audit string            `json:"audit"`
			Data  map[string]string `json:"data_access"`
		}
		if err := json.Unmarshal(files[streamsIn+"/"+environment+"/watched.json"], &watched); err != nil || !strings.Contains(watched.Audit, "cloudaudit.googleapis.com/activity") || len(watched.Data) == 0 {
			t.Errorf("%s: %v, %+v", environment, err, watched)
		}
		var assets []string
		if err := json.Unmarshal(files[streamsIn+"/"+environment+"/assets.json"], &assets); err != nil || !slices.Contains(assets, "run.googleapis.com/Service") || !slices.IsSorted(assets) {
			t.Errorf("%s: %v, %v", environment, err, assets)
		}
	}
}

// TestStreamsOf: of a policy that lies elsewhere the same two files are written; of none nothing is.
func TestStreamsOf(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "made", "here")
	policy := filepath.Join(root, policies["staging"])
	if err := streamsOf(policy, folder); err != nil {
		t.Fatal(err)
	}
	want, err := Streams(policy)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s is not what follows from the policy: %v", name, err)
		}
	}
	none := filepath.Join(t.TempDir(), "none")
	if err := streamsOf(filepath.Join(t.TempDir(), "nowhere"), none); err == nil {
		t.Error("a policy that is not there passed")
	}
	if _, err := os.Stat(none); !os.IsNotExist(err) {
		t.Errorf("something was made of nothing: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := streamsOf(policy, filepath.Join(file, "below")); err == nil || !strings.Contains(err.Error(), "making") {
		t.Errorf("below a file: %v", err)
	}
}
