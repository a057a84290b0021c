package local

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/policy"
)

const (
	cleared    = "Sample drawing tool 1" // the software that is scanned
	neverSent  = "person.nda"            // the last of the plain people never signs
	screened   = "person.screened"       // the first of them is screened on the fourth day only
	digest     = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	commit     = "0123456789abcdef0123456789abcdef01234567"
	sampleTool = "sample"
)

// aboutPeople are the types of machine evidence that tell of one person each.
var aboutPeople = []string{"training.completed", screened, neverSent}

// programs: every source of the policy sends what it may. What tells of a day is sent each morning, what tells of a week
// every seventh, the rest once.
func (s *script) programs() {
	for _, source := range s.w.policy.Sources {
		for _, kind := range source.Types {
			switch every := repeats(kind); {
			case slices.Contains(aboutPeople, kind):
				s.personnel(source, kind)
			case every == 0:
				s.sends(source, kind, 1, 7*time.Hour, s.says(kind, policy.Person{}))
			default:
				for day := 0; s.day.AddDate(0, 0, day).Before(s.end); day += every {
					s.sends(source, kind, day, 5*time.Hour, s.says(kind, policy.Person{}))
				}
			}
			if kind == "scan.finished" {
				s.sends(source, kind, 3, 7*time.Hour, func(time.Time) map[string]any { return scan("malware", cleared) })
			}
		}
	}
}

// personnel: an event about each person on the first morning, but for the one who is late and the one who never signs.
func (s *script) personnel(source policy.Source, kind string) {
	plain := s.plain()
	for i, p := range s.people() {
		day := 0
		if kind == screened && len(plain) > 0 && p.ID == plain[0].ID {
			day = 3
		}
		if kind == neverSent && len(plain) > 0 && p.ID == plain[len(plain)-1].ID {
			continue
		}
		// One after the other: of two counts of the same instant the worse one holds.
		s.sends(source, kind, day, 10*time.Hour+time.Duration(i)*lifeStep, s.says(kind, p))
	}
}

// sends adds the scene of one event, an hour after what it tells of.
func (s *script) sends(source policy.Source, kind string, day int, hour time.Duration, says func(at time.Time) map[string]any) {
	at := s.day.AddDate(0, 0, day).Add(hour - time.Hour)
	id := "sample-" + strconv.Itoa(len(s.all))
	s.on(day, hour, kind+" of "+source.ID, func(ctx context.Context, w *World) error {
		token, err := w.serviceToken(source.ID, nil)
		if err != nil {
			return err
		}
		_, err = w.call(ctx, http.MethodPost, "/collectevidence/v1/events", map[string]any{
			"specversion": "1.0", "id": id, "source": "urn:sample:" + source.ID, "type": kind, "time": at.Format(time.RFC3339), "data": says(at),
		}, http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/cloudevents+json"}})
		if refused, ok := errors.AsType[*refusal](err); ok && refused.code == "evidence_unbound" {
			return nil // the policy lets the program speak and binds nothing to what it says
		}
		return err
	})
}

// repeats is every how many days evidence of a type is sent; 0 for once.
func repeats(kind string) int {
	switch kind {
	case "backup.completed", "uptime.report":
		return 1
	case "endpoint.report", "scan.finished", "build.tested", "build.scanned":
		return 7
	}
	return 0
}

func scan(kind, target string) map[string]any {
	return map[string]any{"tool": sampleTool, "kind": kind, "target": target, "expected": 12, "seen": 12, "errors": 0, "critical": 0, "grade": "A+"}
}

// says is the data of an event, as the schemas of collectevidence describe them: all is well.
func (s *script) says(kind string, p policy.Person) func(at time.Time) map[string]any {
	person := strings.ToLower(p.Email)
	if kind == "review.done" {
		if deciders := s.holders(policy.Security, policy.Owner); len(deciders) > 0 {
			person = deciders[0].Email
		}
	}
	return func(at time.Time) map[string]any {
		ago := func(d time.Duration) string { return at.Add(-d).Format(time.RFC3339) }
		switch kind {
		case "training.completed":
			return map[string]any{"person": person, "course": sampleTool, "passed": true, "score": 92}
		case screened:
			return map[string]any{"person": person, "level": "standard", "result": "clear"}
		case neverSent:
			return map[string]any{"person": person, "document": digest, "signed": ago(day)}
		case "review.done":
			return map[string]any{"review": "tools", "reviewer": person, "expected": 40, "reviewed": 40, "open": 0}
		case "build.tested":
			return map[string]any{"commit": commit, "suite": sampleTool, "tests": 120, "passed": 120, "failed": 0}
		case "build.scanned":
			return map[string]any{"commit": commit, "tool": sampleTool, "scope": "dependencies", "committed": ago(time.Hour), "critical": 0, "high": 0, "medium": 2, "low": 5}
		case "release.deployed":
			return map[string]any{"digest": digest, "environment": "live", "suite_passed": true, "signed_off": true,
				"dev_at": ago(4 * day), "staging_at": ago(2 * day), "base_built": ago(5 * day), "previous": ago(7 * day)}
		case "backup.completed":
			return map[string]any{"expected": 1, "failed": 0, "stores": []map[string]any{{"store": sampleTool, "restorable": ago(10 * time.Minute), "regions": 3, "offsite": 1}}}
		case "backup.restored":
			return map[string]any{"store": sampleTool, "declared": ago(2 * time.Hour), "restored": ago(time.Hour), "lost_s": 240, "checksum_ok": true}
		case "pentest.report":
			return map[string]any{"report": digest, "tester": "external", "from": ago(20 * day), "to": ago(2 * day), "critical_open": 0, "high_open": 0, "medium_open": 1, "low_open": 3}
		case "endpoint.report":
			return map[string]any{"expected": 31, "seen": 31, "unmanaged": 0, "unencrypted": 0, "antivirus_off": 0, "old_signatures": 0}
		case "uptime.report":
			return map[string]any{"endpoint": sampleTool, "from": ago(30 * day), "to": ago(0), "last": ago(time.Minute), "probes": 43200, "missing": 0, "failed": 1}
		}
		return scan("vulnerability", "all hosts")
	}
}
