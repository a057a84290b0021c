package replay_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/watch/rule"
	"ostiary.internal/shared/watch/rule/replay"
)

// pieces are the lines of one call of Compute in parts: of each what stands in its request.
func pieces(uid string, total int, at time.Duration, requests ...string) (lines []string) {
	for i, request := range requests {
		line := call(uid+fmt.Sprint(i), "compute.googleapis.com", "v1.compute.sslPolicies.insert", "ben@company.example", "projects/company-live/global/sslPolicies/p", morning.Add(at))
		line = strings.Replace(line, `"protoPayload":{`, fmt.Sprintf(`"split":{"uid":%q,"index":%d,"totalSplits":%d},"protoPayload":{"request":%s,`, uid, i, total, request), 1)
		lines = append(lines, line)
	}
	return lines
}

// TestParts: what is in one piece only together is judged together, once, in whatever order its lines stand and however
// often, in two files; each line tells of it.
func TestParts(t *testing.T) {
	t.Parallel()
	set := baseline(t)
	strict, weak := `{"minTlsVersion":"TLS_1_2"}`, `{"minTlsVersion":"TLS_1_0"}`
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 5))
		lines := append(pieces("ok", 3, 0, `{"name":"p"}`, strict, `{"profile":"MODERN"}`), pieces("bad", 2, time.Minute, `{"name":"p"}`, weak)...)
		lines = append(lines, lines...)
		lines = append(lines, ordinary("o", 30*time.Second))
		r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		half := r.IntN(len(lines))
		rows, result := run(t, set, text("a", strings.Join(lines[:half], "")), text("b", strings.Join(lines[half:], "")))
		told := 0
		for _, row := range rows {
			if row.Alarm {
				told++
			}
			if row.Alarm && (row.Rule != "tls-weakened" || row.Why != "") || row.Class == "" {
				t.Fatalf("seed %d: %+v", seed, row)
			}
		}
		if result.Alarms != 1 || result.Entries != 11 || len(rows) != 11 || told < 2 || result.Partial != 0 || result.Undecodable != 0 {
			t.Fatalf("seed %d: %d lines tell, %+v", seed, told, result)
		}
	}
}

// TestPartsMissing: a part that is not in the logs leaves what needs it undetermined, once, when it is overdue or the logs
// end.
func TestPartsMissing(t *testing.T) {
	t.Parallel()
	lost := pieces("lost", 2, 0, `{"name":"p"}`)[0]
	for name, after := range map[string]string{"at the end": "", "overdue": ordinary("o", time.Hour), "come back": ordinary("o", time.Hour) + lost} {
		rows, result := run(t, baseline(t), text("a", lost+lost+after))
		if result.Alarms != 1 || result.Partial != 1 || !rows[0].Alarm || !rows[1].Alarm || rows[0].Why != rule.PartsMissing {
			t.Errorf("%s: %+v %+v", name, result, rows)
		}
	}
	bare := `{"logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","insertId":"x","timestamp":"2026-03-03T10:00:00Z","split":{"uid":"u","totalSplits":2},"protoPayload":{"request":{}}}`
	if rows, result := run(t, baseline(t), text("a", bare)); result.Undecodable != 1 || len(rows) != 1 || !rows[0].Alarm || rows[0].Class != replay.Undecodable {
		t.Errorf("%+v %+v", result, rows)
	}
}

// TestPartsFlood: as many splits as anybody likes that are never whole are each told, in bounded memory.
func TestPartsFlood(t *testing.T) {
	t.Parallel()
	var lines strings.Builder
	for i := range 2000 {
		lines.WriteString(pieces(fmt.Sprint("u", i), 2, time.Duration(i)*time.Millisecond, `{"name":"p"}`)[0])
	}
	lines.WriteString(pieces("many", 1_000_000, 0, `{"name":"p"}`)[0] + strings.Replace(pieces("neg", 2, 0, `{"name":"p"}`)[0], `"index":0`, `"index":-1`, 1))
	rows, result := run(t, baseline(t), text("a", lines.String()))
	if result.Partial != 2002 || result.Alarms != 2002 || len(rows) != 2002 {
		t.Errorf("%+v, %d rows", result, len(rows))
	}
}
