package page

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
)

var now = time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)

// Every text is there in each language, takes as many parts in all of them, and says what a word of a snapshot means.
func TestTexts(t *testing.T) {
	t.Parallel()
	keys := slices.Sorted(maps.Keys(texts["en"]))
	for _, lang := range Languages {
		for _, key := range slices.Sorted(maps.Keys(texts[lang])) {
			if texts["en"][key] == "" || texts[lang][key] == "" {
				t.Errorf("%s: %q is not in both languages", lang, key)
			}
		}
		for _, key := range keys {
			if got, want := strings.Count(texts[lang][key], "%s"), strings.Count(texts["en"][key], "%s"); got != want || strings.Count(texts[lang][key], "%") != want {
				t.Errorf("%s: %q takes %d parts, in English %d", lang, key, got, want)
			}
		}
		for _, key := range vocabulary() {
			if texts[lang][key] == "" {
				t.Errorf("%s: no text %q", lang, key)
			}
		}
	}
}

// vocabulary are the keys of all words that a snapshot may hold.
func vocabulary() []string {
	var keys []string
	for _, r := range promise.Reasons() {
		keys = append(keys, "why."+string(r))
		if r == promise.OpenFinding {
			keys[len(keys)-1] += ".one"
		}
	}
	for _, s := range promise.States() {
		keys = append(keys, "state."+string(s), "meaning."+string(s), "strip."+string(s))
	}
	for _, m := range []policy.Mechanism{policy.Rule, policy.Assertion, policy.Records, policy.Probe, policy.Duty, policy.Statement, policy.Certificate, policy.Rollup} {
		keys = append(keys, "mechanism."+string(m))
	}
	for _, s := range []policy.Severity{policy.Critical, policy.High, policy.Medium, policy.Low, policy.Info} {
		keys = append(keys, "severity."+string(s))
	}
	for _, r := range []policy.Role{policy.Employee, policy.Manager, policy.Security, policy.DPO, policy.OnCall, policy.Auditor, policy.Owner} {
		keys = append(keys, "role."+string(r))
	}
	return keys
}

// spaced writes the spaces that do not break as plain ones.
func spaced(text string) string {
	return strings.NewReplacer(space, " ", narrowSpace, " ").Replace(text)
}

func TestMoments(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		ago        time.Duration
		en, fr, de string
	}{
		{0, "just now", "à l’instant", "gerade eben"},
		{59 * time.Second, "just now", "à l’instant", "gerade eben"},
		{time.Minute, "1 min ago", "il y a 1 min", "vor 1 Min."},
		{59 * time.Minute, "59 min ago", "il y a 59 min", "vor 59 Min."},
		{time.Hour, "1 h ago", "il y a 1 h", "vor 1 Std."},
		{47 * time.Hour, "47 h ago", "il y a 47 h", "vor 47 Std."},
		{2 * day, "2 days ago", "il y a 2 jours", "vor 2 Tagen"},
		{89 * day, "89 days ago", "il y a 89 jours", "vor 89 Tagen"},
		{400 * day, "13 months ago", "il y a 13 mois", "vor 13 Monaten"},
		{-3 * day, "in 3 days", "dans 3 jours", "in 3 Tagen"},
		{-30 * time.Second, "just now", "à l’instant", "gerade eben"},
	} {
		for lang, want := range map[string]string{"en": test.en, "fr": test.fr, "de": test.de} {
			if got := spaced(wordsOf(lang).moment(now.Add(-test.ago), now).Ago); got != want {
				t.Errorf("%s, %s ago: %q, want %q", lang, test.ago, got, want)
			}
		}
	}
	first := time.Date(2026, 5, 1, 23, 4, 5, 0, time.FixedZone("", 3*3600))
	for lang, want := range map[string]string{"en": "1 May 2026, 20:04 UTC", "fr": "1er mai 2026 à 20:04 UTC", "de": "1. Mai 2026, 20:04 UTC", "tlh": "1 May 2026, 20:04 UTC"} {
		if m := wordsOf(lang).moment(first, now); m.Full != want || m.ISO != "2026-05-01T20:04:05Z" {
			t.Errorf("%s: %+v", lang, m)
		}
	}
	if m := wordsOf("en").moment(time.Time{}, now); m != (Moment{}) {
		t.Errorf("no time reads %+v", m)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		n          int64
		en, fr, de string
	}{
		{0, "0", "0", "0"}, {999, "999", "999", "999"}, {1000, "1,000", "1 000", "1.000"}, {-1_234_567, "−1,234,567", "−1 234 567", "−1.234.567"},
		{math.MinInt64, "−9,223,372,036,854,775,808", "−9 223 372 036 854 775 808", "−9.223.372.036.854.775.808"},
	} {
		for lang, want := range map[string]string{"en": test.en, "fr": test.fr, "de": test.de} {
			if got := spaced(wordsOf(lang).number(test.n)); got != want {
				t.Errorf("%s: %d reads %q", lang, test.n, got)
			}
		}
	}
}

func TestMeasures(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		m    promise.Measure
		lang string
		want string
	}{
		{promise.Measure{Metric: "rpo_s", Value: new(int64(1260)), Op: "<=", Limit: 3600}, "en", "Newest restorable point: 21 min (promised: at most 1 h)"},
		{promise.Measure{Metric: "rpo_s", Value: new(int64(5460)), Op: "<=", Limit: 3600}, "de", "Letzter wiederherstellbarer Stand: 1 Std. 31 Min. (versprochen: höchstens 1 Std.)"},
		{promise.Measure{Metric: "retention_days", Value: new(int64(31)), Op: ">=", Limit: 30}, "fr", "retention : 31 jours (promis : au moins 30 jours)"},
		{promise.Measure{Metric: "uptime_bp", Value: new(int64(9987)), Op: ">=", Limit: 9930}, "de", "Verfügbarkeit: 99,87 % (versprochen: mindestens 99,3 %)"},
		{promise.Measure{Metric: "uptime_bp", Value: new(int64(9987))}, "en", "Uptime: 99.87%"},
		{promise.Measure{Metric: "drift_bp", Value: new(int64(-7))}, "en", "drift: −0.07%"},
		{promise.Measure{Metric: "tls_version_x10", Value: new(int64(13)), Op: ">=", Limit: 12}, "de", "Älteste angebotene TLS-Version: 1.3 (versprochen: mindestens 1.2)"},
		{promise.Measure{Metric: "certificate_days", Value: new(int64(1))}, "en", "Certificate still valid for: 1 day"},
		{promise.Measure{Metric: "backup_bytes", Value: new(int64(1536))}, "en", "backup: 1.5 KiB"},
		{promise.Measure{Metric: "backup_bytes", Value: new(int64(12))}, "fr", "backup : 12 octets"},
		{promise.Measure{Metric: "without_second_factor_persons", Below: 5, Op: "==", Limit: 0}, "en", "without second factor: <5 (promised: 0)"},
		{promise.Measure{Metric: "trained_people", Below: 5, Op: ">=", Limit: 12}, "en", "trained: <5 (promised: at least 12)"},
		{promise.Measure{Metric: "trained_people", Value: new(int64(5))}, "en", "trained: 5"},
		{promise.Measure{Metric: "open_ports", Value: new(int64(3)), Op: "~", Limit: 2}, "en", "open ports: 3"},
		{promise.Measure{Metric: "_s", Value: new(int64(3))}, "en", " s: 3"},
		{promise.Measure{Metric: "delay_s", Value: new(int64(math.MinInt64))}, "en", ""},
		{promise.Measure{}, "en", ""},
	} {
		got := spaced(wordsOf(test.lang).measure(&test.m))
		if test.want != "" && got != test.want || test.m.Metric == "" && got != "" {
			t.Errorf("%+v in %s reads %q, want %q", test.m, test.lang, got, test.want)
		}
	}
	if got := wordsOf("en").measure(nil); got != "" {
		t.Errorf("no measure reads %q", got)
	}
}

func TestStrip(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ from, days, says string }{
		{"2026-02-27", "kkbuk", "From 27 February to 3 March: 3 days kept; 1 day broken (1 March); 1 day not known (2 March)."},
		{"2026-02-27", "--kbb", "From 27 February to 3 March: 1 day kept; 2 days broken (2 March to 3 March)."},
		{"2026-02-27", "aie", "From 27 February to 1 March: 1 day stated (27 February); 1 day from provider (28 February); 1 day excepted (1 March)."},
		{"2026-02-27", "bkbkbkbkbkbkbkbkbkbk", "From 27 February to 18 March: 10 days kept; 10 days broken."},
		{"2026-02-27", "-----", "No history recorded yet"},
		{"2026-02-27", "", "No history recorded yet"},
		{"yesterday", "kkk", "No history recorded yet"},
	} {
		s := wordsOf("en").strip(promise.History{From: test.from, Days: test.days})
		if s.Says != test.says {
			t.Errorf("%s reads %q", test.days, s.Says)
		}
	}
	s := wordsOf("en").strip(promise.History{From: "2026-02-27", Days: "kk?bk\"<b"})
	want := []Bar{{"kept", "M0 2h8v10H0zM16 2h4v10H16z"}, {"broken", "M12 14h4v12H12zM28 14h4v12H28z"}}
	if !slices.Equal(s.Bars, want) || s.Width != 32 {
		t.Errorf("drawn as %+v", s)
	}
}

// A minute that was broken is not rounded away, and what was kept is not rounded up.
func TestShares(t *testing.T) {
	t.Parallel()
	s := wordsOf("en").share(promise.Share{Days: 30, Seconds: map[record.State]int64{record.Kept: 30*86_400 - 61, record.Broken: 60, record.Unknown: 1}})
	want := Share{"30 days", []Spent{{"kept", "Kept", "99.9%"}, {"broken", "Broken", "0.1%"}, {"unknown", "Not known", "0.1%"}}}
	if s.Span != want.Span || !slices.Equal(s.Spent, want.Spent) {
		t.Errorf("%+v", s)
	}
	for _, none := range []map[record.State]int64{nil, {record.Kept: 0}, {record.Kept: -5}, {record.Kept: -5, record.Broken: -5}} {
		if s := wordsOf("en").share(promise.Share{Days: 365, Seconds: none}); len(s.Spent) != 0 {
			t.Errorf("%v: %+v", none, s)
		}
	}
}

func TestSentence(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text promise.Text
		lang string
		want Sentence
	}{
		{promise.Text{EN: "Yes.", DE: "Ja."}, "de", Sentence{"Ja.", "de", ""}},
		{promise.Text{EN: "Yes.", DE: "Ja."}, "fr", Sentence{"Yes.", "en", "Original en anglais"}},
		{promise.Text{DE: "Ja."}, "en", Sentence{"Ja.", "de", "Original in German"}},
		{promise.Text{FR: " \u202e ", DE: "Ja."}, "fr", Sentence{"Ja.", "de", "Original en allemand"}},
		{promise.Text{}, "en", Sentence{"(The sentence is missing from the register.)", "en", ""}},
		{promise.Text{EN: "a\u202eb\u2066c\x00d\ne\u2028f\u200f"}, "en", Sentence{"abcd ef\u200f", "en", ""}},
	} {
		if got := wordsOf(test.lang).sentence(test.text); got != test.want {
			t.Errorf("%+v in %s: %+v", test.text, test.lang, got)
		}
	}
}

func TestWhy(t *testing.T) {
	t.Parallel()
	w := wordsOf("en")
	for want, s := range map[string]promise.Status{
		"2 open findings, the oldest 3 days ago.":              {State: record.Broken, Reason: promise.OpenFinding, Findings: 2, Finding: promise.Evidence{Observed: now.Add(-3 * day)}},
		"<5 open findings, the oldest 3 days ago.":             {State: record.Broken, Reason: promise.OpenFinding, FindingsBelow: 5, Finding: promise.Evidence{Observed: now.Add(-3 * day)}},
		"Signed by: data protection officer.":                  {State: record.Attested, SignedBy: policy.DPO},
		"Signed by: caretaker.":                                {State: record.Attested, SignedBy: "caretaker"},
		"People say that it was done; no machine measured it.": {State: record.Attested, Mechanism: policy.Duty},
		"moonlight": {State: record.Unknown, Reason: "moonlight"},
		"":          {State: record.Kept},
	} {
		if got := spaced(w.why(s, now)); got != want {
			t.Errorf("%+v reads %q, want %q", s, got, want)
		}
	}
}
