package intake

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// happened is when the samples happened.
var happened = time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)

// params reads parameters as the policy writes them.
func params(t *testing.T, text string) map[string]policy.Param {
	t.Helper()
	var p map[string]policy.Param
	if err := yaml.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// changed is a sample with members replaced.
func changed(t testing.TB, name, change string) []byte {
	t.Helper()
	m := members(t, sample(t, name))
	if change != "" {
		maps.Copy(m, members(t, []byte(change)))
	}
	return encoded(t, m)
}

// TestJudge: what an event of each type means for a promise with parameters.
func TestJudge(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, change, params string
		state                record.State
		number               string // metric value op limit
	}{
		{"build.tested", ``, `{}`, record.Kept, "tests_failed 0"},
		{"build.tested", `{"passed":119,"failed":1}`, `{}`, record.Broken, "tests_failed 1"},
		{"build.tested", `{"passed":119}`, `{}`, record.Unknown, ""},
		{"build.tested", `{"passed":100,"failed":1}`, `{}`, record.Broken, "tests_failed 1"},
		{"build.tested", `{"tests":0,"passed":0}`, `{}`, record.Broken, ""},
		{"build.tested", ``, `{roles: ">=4"}`, record.Kept, "roles 4 >= 4"},
		{"build.tested", `{"value":3}`, `{roles: ">=4"}`, record.Broken, "roles 3 >= 4"},
		{"build.tested", ``, `{within: PT24H}`, record.Kept, "after_release_s 10500 <= 86400"},
		{"build.tested", ``, `{within: PT1H}`, record.Broken, "after_release_s 10500 <= 3600"},
		{"build.tested", `{"deployed":null}`, `{within: PT24H}`, record.Unknown, ""},
		{"build.tested", ``, `{after_live: [suite, sign-off]}`, record.Kept, "tested_by_hand 1 == 1"},
		{"build.tested", `{"signed_off":"2026-03-03T05:59:59Z"}`, `{after_live: [suite, sign-off]}`, record.Broken, "tested_by_hand 0 == 1"},
		{"build.tested", ``, `{after_live: [suite]}`, record.Unknown, ""},
		{"build.scanned", ``, `{lag: "<=PT24H"}`, record.Kept, "lag_s 10500 <= 86400"},
		{"build.scanned", ``, `{lag: PT2H}`, record.Broken, "lag_s 10500 <= 7200"},
		{"build.scanned", `{"committed":null}`, `{lag: PT24H}`, record.Unknown, ""},
		{"build.scanned", ``, `{lag: soon}`, record.Unknown, ""},
		{"build.scanned", `{"critical":2}`, `{lag: PT24H}`, record.Broken, "critical_findings 2"},
		{"release.deployed", ``, `{order: [dev, staging, live]}`, record.Kept, "stages_in_order 1 == 1"},
		{"release.deployed", `{"staging_at":null}`, `{order: [dev, staging, live]}`, record.Broken, "stages_in_order 0 == 1"},
		{"release.deployed", `{"dev_at":"2026-03-02T11:00:00Z"}`, `{order: [dev, staging, live]}`, record.Broken, "stages_in_order 0 == 1"},
		{"release.deployed", ``, `{order: [staging, live]}`, record.Unknown, ""},
		{"release.deployed", ``, `{image_age: P28D}`, record.Kept, "base_age_s 982500 <= 2419200"},
		{"release.deployed", `{"base_built":null}`, `{image_age: P28D}`, record.Unknown, ""},
		{"release.deployed", ``, `{sprint: P7D}`, record.Broken, "gap_s 1209300 <= 604800"},
		{"release.deployed", ``, `{window: "Tue 00:00-12:00 America/Los_Angeles"}`, record.Kept, "in_window 1 == 1"},
		{"release.deployed", ``, `{window: "Tue 01:00-12:00 America/Los_Angeles"}`, record.Broken, "in_window 0 == 1"},
		{"release.deployed", ``, `{window: "Tue 00:00-00:55 America/Los_Angeles"}`, record.Broken, "in_window 0 == 1"},
		{"release.deployed", ``, `{window: "Sun 00:00-12:00 America/Los_Angeles"}`, record.Broken, "in_window 0 == 1"},
		{"release.deployed", ``, `{window: "Sun morning"}`, record.Unknown, ""},
		{"release.deployed", ``, `{window: "Tue 00:00-12:00 Local"}`, record.Unknown, ""},
		{"release.deployed", `{"signed_off":false}`, `{cadence: P28D}`, record.Broken, ""},
		{"backup.completed", ``, `{age: "<=PT24H", regions: ">=2"}`, record.Kept, "age_s 2700 <= 86400"},
		{"backup.completed", ``, `{rpo: "<=PT30M"}`, record.Broken, "age_s 2700 <= 1800"},
		{"backup.completed", ``, `{age: PT24H, regions: 3}`, record.Broken, "regions 2 >= 3"},
		{"backup.completed", ``, `{offsite: 1, age: PT24H}`, record.Kept, "age_s 2700 <= 86400"},
		{"release.deployed", ``, `{before_live: [suite, sign-off]}`, record.Kept, "tested_before 1 == 1"},
		{"release.deployed", `{"suite_passed":false}`, `{before_live: [suite, sign-off]}`, record.Broken, ""},
		{"backup.completed", ``, `{size_off: "<=20"}`, record.Kept, "size_off_percent 12 <= 20"},
		{"backup.completed", ``, `{size_off: "<=10"}`, record.Broken, "size_off_percent 12 <= 10"},
		{"backup.completed", `{"expected":3}`, `{age: PT24H}`, record.Unknown, "age_s 2700 <= 86400"},
		{"backup.completed", `{"failed":1}`, `{age: PT24H}`, record.Unknown, "age_s 2700 <= 86400"},
		{"backup.completed", `{"failed":1}`, `{age: PT30M}`, record.Broken, "age_s 2700 <= 1800"},
		{"backup.restored", ``, `{rto: "<=PT4H"}`, record.Kept, "rto_s 9000 <= 14400"},
		{"backup.restored", ``, `{rto: PT2H}`, record.Broken, "rto_s 9000 <= 7200"},
		{"backup.restored", `{"checksum_ok":false}`, `{rto: PT4H}`, record.Broken, "rto_s 9000"},
		{"scan.finished", ``, `{}`, record.Kept, "critical_findings 0"},
		{"scan.finished", `{"critical":1}`, `{}`, record.Broken, "critical_findings 1"},
		{"scan.finished", ``, `{fix_critical: "<=P30D", age: "<=PT24H"}`, record.Kept, "oldest_critical_d 0 <= 30"},
		{"scan.finished", `{"critical":1,"oldest_critical_days":30}`, `{fix_critical: P30D}`, record.Kept, "oldest_critical_d 30 <= 30"},
		{"scan.finished", `{"critical":1,"oldest_critical_days":31}`, `{fix_critical: P30D}`, record.Broken, "oldest_critical_d 31 <= 30"},
		{"scan.finished", `{"critical":1,"oldest_critical_days":null}`, `{fix_critical: P30D}`, record.Unknown, ""},
		{"scan.finished", `{"seen":11}`, `{}`, record.Unknown, "critical_findings 0"},
		{"scan.finished", ``, `{grade: A}`, record.Kept, "grade 6 >= 6"},
		{"scan.finished", `{"grade":"A-"}`, `{grade: ">=A"}`, record.Broken, "grade 5 >= 6"},
		{"scan.finished", `{"grade":null}`, `{grade: A}`, record.Unknown, ""},
		{"scan.finished", ``, `{grade: good}`, record.Unknown, ""},
		{"scan.finished", ``, `{hits: 0}`, record.Kept, "hits 0 == 0"},
		{"scan.finished", `{"value":2}`, `{hits: 0}`, record.Broken, "hits 2 == 0"},
		{"scan.finished", ``, `{drill: P1M, delay: PT5M}`, record.Kept, "alerts_raised 1 == 1"},
		{"scan.finished", ``, `{drill: P1M, delay: PT1M}`, record.Broken, "raised_s 120 <= 60"},
		{"scan.finished", `{"alert_raised":null}`, `{drill: P1M}`, record.Broken, "alerts_raised 0 == 1"},
		{"scan.finished", ``, `{drill: monthly}`, record.Unknown, ""},
		{"scan.finished", ``, `{scopes: [openid, email, profile]}`, record.Kept, "not_listed 0 == 0"},
		{"scan.finished", `{"found":["openid","calendar","mail"]}`, `{scopes: [openid, email, profile]}`, record.Broken, "not_listed 2 == 0"},
		{"scan.finished", `{"found":["image/png","image/svg+xml"]}`, `{content: image/*}`, record.Kept, "not_listed 0 == 0"},
		{"scan.finished", `{"found":["image/png","text/html"]}`, `{content: image/*}`, record.Broken, "not_listed 1 == 0"},
		{"scan.finished", ``, `{coverage: "100%"}`, record.Kept, "covered_ppm 1000000 >= 1000000"},
		{"scan.finished", `{"expected":0,"seen":0}`, `{coverage: "100%"}`, record.Unknown, ""},
		{"pentest.report", ``, `{}`, record.Kept, "grave_findings 0"},
		{"pentest.report", `{"high_open":1}`, `{}`, record.Broken, "grave_findings 1"},
		{"review.done", ``, `{}`, record.Kept, "open_findings 0"},
		{"review.done", `{"reviewed":39}`, `{}`, record.Broken, ""},
		{"review.done", `{"open":7}`, `{}`, record.Broken, "open_findings 7"},
		{"review.done", `{"review":"audit","open":1}`, `{}`, record.Broken, "open_findings 1"},
		{"review.done", `{"review":"logs","open":7}`, `{}`, record.Kept, "open_findings 7"},
		{"review.done", `{"until":"2026-03-03T08:00:00Z"}`, `{}`, record.Broken, ""},
		{"review.done", `{"reviewed":39,"open":1}`, `{ack: "<=P14D"}`, record.Kept, "waited_s 86400 <= 1209600"},
		{"review.done", `{"reviewed":39,"open":1,"waited_s":1209601}`, `{ack: "<=P14D"}`, record.Broken, "waited_s 1209601 <= 1209600"},
		{"endpoint.report", ``, `{}`, record.Kept, "devices_out_of_order 0"},
		{"endpoint.report", `{"antivirus_off":1}`, `{}`, record.Broken, "devices_out_of_order 1"},
		{"endpoint.report", `{"seen":30}`, `{coverage: "100%"}`, record.Unknown, ""},
		{"uptime.report", ``, `{slo: "99.3%/P30D"}`, record.Kept, "up_ppm 999305 >= 993000"},
		{"uptime.report", `{"failed":400}`, `{slo: "99.3%/P30D"}`, record.Broken, "up_ppm 990740 >= 993000"},
		{"uptime.report", `{"missing":400}`, `{slo: "99.3%/P30D"}`, record.Broken, "up_ppm 990046 >= 993000"},
		{"uptime.report", `{"from":"2026-03-01T00:00:00Z"}`, `{slo: "99.3%/P30D"}`, record.Unknown, ""},
		{"uptime.report", ``, `{slo: "99.30001%"}`, record.Unknown, ""},
		{"uptime.report", ``, `{age: PT5M}`, record.Kept, "age_s 60 <= 300"},
		{"uptime.report", `{"from":"2016-03-03T00:00:00Z"}`, `{slo: "99.3%/P30D"}`, record.Unknown, ""},
		{"uptime.report", `{"from":"2026-01-29T08:00:00Z"}`, `{slo: "99.3%/P30D"}`, record.Kept, "up_ppm 999305 >= 993000"},
		{"uptime.report", `{"from":"2024-01-29T08:00:00Z"}`, `{slo: "99.3%"}`, record.Unknown, ""},
		{"uptime.report", ``, `{drill: P7D}`, record.Kept, "alerts_reached 1 == 1"},
		{"uptime.report", `{"alert_reached":null,"alert_acknowledged":null}`, `{drill: P7D}`, record.Broken, "alerts_reached 0 == 1"},
		{"uptime.report", ``, `{drill: weekly}`, record.Unknown, ""},
		{"uptime.report", ``, `{ack: "<=PT15M"}`, record.Kept, "acknowledged_s 240 <= 900"},
		{"uptime.report", ``, `{ack: PT3M}`, record.Broken, "acknowledged_s 240 <= 180"},
		{"uptime.report", `{"alert_acknowledged":null}`, `{ack: PT15M}`, record.Broken, "acknowledged_s 86100 <= 900"},
		{"uptime.report", `{"alert_acknowledged":null}`, `{ack: P2D}`, record.Unknown, ""},
	} {
		data := kinds[test.name].data()
		if err := decode(changed(t, test.name, test.change), data); err != nil {
			t.Errorf("%s %s: %v", test.name, test.change, err)
			continue
		}
		r, err := data.report(happened)
		if err != nil {
			t.Errorf("%s %s: %v", test.name, test.change, err)
			continue
		}
		got, population := judge(r, params(t, test.params))
		number := strings.TrimSpace(got.Metric + " " + json.Number(itoa(got.Value)).String())
		if got.Op != "" {
			number += " " + got.Op + " " + itoa(got.Limit)
		}
		if got.State != test.state || test.number != "" && number != test.number {
			t.Errorf("%s %s for %s: %s, %s; want %s, %s", test.name, test.change, test.params, got.State, number, test.state, test.number)
		}
		if got.State == record.Broken && population != nil && population.Seen < population.Expected {
			t.Errorf("%s %s: the population hides what is broken", test.name, test.change)
		}
	}
}

func itoa(n int64) string {
	text, _ := json.Marshal(n)
	return string(text)
}

// TestContradictions: members that cannot all be true are refused.
func TestContradictions(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][]string{
		"build.tested":     {`{"value":null}`, `{"measured":null}`, `{"deployed":"2026-03-03T09:00:00Z"}`, `{"passed":121}`, `{"failed":1}`, `{"signed_off":"2026-03-03T09:00:00Z"}`, `{"passed":9007199254740991,"failed":9007199254740991}`},
		"build.scanned":    {`{"committed":"2026-03-03T09:00:00Z"}`},
		"release.deployed": {`{"previous":"2027-01-01T00:00:00Z"}`, `{"dev_at":"2026-03-03T09:00:00Z"}`},
		"backup.completed": {`{"stores":[{"store":"crm","restorable":"2026-03-03T09:00:00Z","regions":1,"offsite":0}]}`,
			`{"stores":[{"store":"crm","restorable":"2026-03-03T08:00:00Z","regions":1,"offsite":0},{"store":"crm","restorable":"2026-03-03T08:00:00Z","regions":1,"offsite":0}]}`},
		"backup.restored": {`{"restored":"2026-03-03T04:00:00Z"}`, `{"restored":"2026-03-03T09:00:00Z"}`},
		"person.nda":      {`{"signed":"2026-03-04T00:00:00Z"}`},
		"scan.finished":   {`{"seen":13}`, `{"oldest_critical_days":3}`, `{"drill":null}`, `{"drill":"2026-03-03T09:00:00Z"}`, `{"alert_raised":"2026-03-02T08:00:00Z"}`, `{"alert_raised":"2026-03-03T09:00:00Z"}`, `{"measured":null}`},
		"pentest.report":  {`{"to":"2026-01-01T00:00:00Z"}`, `{"to":"2026-04-01T00:00:00Z"}`},
		"review.done":     {`{"reviewed":41}`, `{"ended":"2026-03-03T09:00:00Z"}`},
		"endpoint.report": {`{"seen":32}`},
		"uptime.report": {`{"to":"2026-02-01T08:50:00Z"}`, `{"last":"2026-03-03T09:00:00Z"}`, `{"missing":43200}`, `{"failed":43201}`,
			`{"alert_fired":null}`, `{"alert_fired":"2026-03-03T09:00:00Z"}`, `{"alert_reached":"2026-03-01T09:00:00Z"}`, `{"alert_reached":null}`, `{"alert_acknowledged":"2026-03-03T09:00:00Z"}`},
	} {
		for _, change := range changes {
			data := kinds[name].data()
			if err := decode(changed(t, name, change), data); err != nil {
				t.Errorf("%s %s: %v", name, change, err)
			} else if _, err := data.report(happened); fault.CodeOf(err) != "event_invalid" {
				t.Errorf("%s %s: %v", name, change, err)
			}
		}
	}
}
