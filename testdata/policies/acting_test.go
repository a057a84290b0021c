package policies_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
	"ostiary.internal/testdata/policies"
)

// TestActingAsIsSeenInAnyLog: companies whose own log has its own keys are watched alike when a line has ours, in that
// log or in another; a line of that log that nobody can read is no entry; the reason their log gives is asked for.
func TestActingAsIsSeenInAnyLog(t *testing.T) {
	t.Parallel()
	const (
		theirs = `"employee":"ben@company.example","event":"impersonate","user":"u1","domain":"c.example"`
		ours   = `"actor":"ben@company.example","action":"impersonate","user":"u1","tenant":"c.example"`
	)
	for _, folder := range []string{"labelsync", "sharedcontacts"} {
		p := load(t, policies.FS, folder)
		mappings, _ := rule.Mappings(p)
		set, _ := rule.Load(p)
		for _, c := range []struct {
			log, payload string
			alarm        bool
		}{
			{"act-as", theirs, true},
			{"act-as", ours, true},
			{"run.googleapis.com%2Fvarlog%2Fsystem", ours, true},
			{"run.googleapis.com%2Fstdout", ours, true},
			{"act-as", theirs + `,"ticket":"none","reason":"fault report"`, true},
			{"act-as", theirs + `,"ticket":"T-1"`, true},
			{"act-as", theirs + `,"ticket":"T-1","reason":"fault report"`, false},
			{"act-as", ours + `,"ticket":"T-1"`, false},
		} {
			line := fmt.Sprintf(`{"logName":"projects/p/logs/%s","insertId":"1","timestamp":"2026-03-03T10:00:00Z","jsonPayload":{%s}}`, c.log, c.payload)
			entries, err := auditlog.Decode([]byte(line), mappings...)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			hits, err := set.Evaluate(t.Context(), &entries[0], rule.NewLocal(), time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC))
			if err != nil {
				t.Fatal(err)
			}
			seen := slices.ContainsFunc(hits, func(h rule.Hit) bool { return h.Rule == "impersonation-with-ticket" })
			if seen != c.alarm {
				t.Errorf("%s: %s in %s: alarm is %v", folder, c.payload, c.log, seen)
			}
		}
		if _, err := auditlog.Decode([]byte(`{"logName":"projects/p/logs/act-as","insertId":"1","timestamp":"2026-03-03T10:00:00Z","jsonPayload":{"who":"ben"}}`), mappings...); err == nil {
			t.Errorf("%s: a line that says nothing was taken for an entry", folder)
		}
	}
}

// TestActingAtNightWeighsMore: outside of working hours nobody is there to ask, so the alarm is a critical one.
func TestActingAtNightWeighsMore(t *testing.T) {
	t.Parallel()
	p := load(t, policies.FS, "sharedcontacts")
	mappings, _ := rule.Mappings(p)
	set, _ := rule.Load(p)
	for at, want := range map[string]policy.Severity{
		"2026-03-03T10:00:00Z": policy.High, // a Tuesday
		"2026-03-03T23:30:00Z": policy.Critical,
		"2026-03-07T10:00:00Z": policy.Critical, // a Saturday
	} {
		line := fmt.Sprintf(`{"logName":"projects/p/logs/act-as","insertId":"1","timestamp":%q,"jsonPayload":{"actor":"ben@company.example","action":"impersonate","user":"u1"}}`, at)
		entries, err := auditlog.Decode([]byte(line), mappings...)
		if err != nil {
			t.Fatal(err)
		}
		hits, err := set.Evaluate(t.Context(), &entries[0], rule.NewLocal(), entries[0].Time)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(hits, func(h rule.Hit) bool { return h.Rule == "impersonation-with-ticket" })
		if i < 0 || hits[i].Subject.Severity != want {
			t.Errorf("at %s: %+v, want %s", at, hits, want)
		}
	}
}
