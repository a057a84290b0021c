package auditlog_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"ostiary.internal/shared/watch/auditlog"
)

const fixtures = "../../../testdata/events/audit"

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(fixtures, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func fixture(t testing.TB, name string) auditlog.Entry {
	t.Helper()
	return one(t, file(t, name), auditlog.Mapping{})
}

func one(t testing.TB, data []byte, m auditlog.Mapping) auditlog.Entry {
	t.Helper()
	entries, err := auditlog.Decode(data, m)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	return entries[0]
}

// compacted returns every fixture on one line.
func compacted(t testing.TB) [][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(fixtures, "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatal("no fixtures", err)
	}
	var all [][]byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var line bytes.Buffer
		if err := json.Compact(&line, data); err != nil {
			t.Fatal(name, err)
		}
		all = append(all, line.Bytes())
	}
	return all
}

// with returns a fixture with one change, made by the test in the decoded tree.
func with(t testing.TB, name string, change func(entry, payload map[string]any)) []byte {
	t.Helper()
	var tree map[string]any
	if err := json.Unmarshal(file(t, name), &tree); err != nil {
		t.Fatal(err)
	}
	payload, _ := tree["protoPayload"].(map[string]any)
	change(tree, payload)
	data, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
