package replay_test

import (
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"testing"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
	"ostiary.internal/shared/watch/rule/replay"
	"ostiary.internal/testdata/policies"
)

// envSamples names a folder of labelled entries that are no part of the repository: real ones, of others.
const envSamples = "OSTIARY_AUDIT_SAMPLES"

// starter is the starter's rules as the command replays by them: whoever acts is at home.
func starter(t *testing.T) (*rule.Set, []auditlog.Mapping) {
	t.Helper()
	p, problems, err := policy.Load(policies.FS, "baseline")
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v %v", err, problems)
	}
	world, home := rule.TrialOf(p)
	set, problems := rule.LoadIn(world, p)
	mappings, more := rule.Mappings(p)
	if len(problems) > 0 || len(more) > 0 || !home {
		t.Fatal(problems, more, home)
	}
	return set.Only(func(r rule.Rule) bool { return !r.AsksList() }), mappings
}

// index reads what a folder says of its files, by column.
func index(t *testing.T, folder string) (rows []map[string]string) {
	t.Helper()
	f, err := os.Open(filepath.Join(folder, "index.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil || len(all) < 2 {
		t.Fatal(err, len(all))
	}
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// TestLabelled: each file, in fresh state, is the alarm and of the class that somebody wrote beside it, where he was
// sure; and every file can be read.
func TestLabelled(t *testing.T) {
	t.Parallel()
	folders := []string{filepath.Join("..", "..", "..", "..", "testdata", "events", "audit")}
	if outside := os.Getenv(envSamples); outside != "" {
		folders = append(folders, outside)
	}
	set, mappings := starter(t)
	for _, folder := range folders {
		labels := map[string]map[string]string{}
		for _, row := range index(t, folder) {
			labels[row["file"]] = row
		}
		files, err := filepath.Glob(filepath.Join(folder, "*.json"))
		if err != nil || len(files) < len(labels) {
			t.Fatalf("%s: %d files of %d labels, %v", folder, len(files), len(labels), err)
		}
		for _, file := range files {
			label := labels[filepath.Base(file)]
			delete(labels, filepath.Base(file))
			judged(t, set, mappings, file, label)
		}
		for file := range labels {
			t.Errorf("%s: there is no %s", folder, file)
		}
	}
}

// judged replays one file and holds the outcome against its label; of a file without one nothing but that it can be read.
func judged(t *testing.T, set *rule.Set, mappings []auditlog.Mapping, file string, label map[string]string) {
	t.Helper()
	var rows []replay.Row
	source := replay.Source{Name: file, Open: func() (io.ReadCloser, error) { return os.Open(file) }}
	result, err := replay.Run(t.Context(), set, []replay.Source{source}, replay.Options{Mappings: mappings, Row: func(r replay.Row) error {
		rows = append(rows, r)
		return nil
	}})
	if err != nil || result.Undecodable > 0 || len(rows) != 1 {
		t.Errorf("%s: %d entries, %d undecodable, %v", file, len(rows), result.Undecodable, err)
		return
	}
	if confidence, rated := label["confidence"]; label == nil || rated && confidence != "high" {
		return
	}
	if alarm := label["expected_alarm"] == "yes"; rows[0].Alarm != alarm || rows[0].Class != label["alarm_class"] {
		t.Errorf("%s: alarm %v of class %q by %q, labelled %s, %q: %s", file, rows[0].Alarm, rows[0].Class, rows[0].Rule, label["expected_alarm"], label["alarm_class"], label["reason"])
	}
}
