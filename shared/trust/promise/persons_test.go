package promise_test

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
)

// TestPersonsAreMasked: a count of fewer than five persons is not told, and still decides.
func TestPersonsAreMasked(t *testing.T) {
	t.Parallel()
	reg := register()
	for _, c := range []struct {
		metric string
		value  int64
		want   string
		state  record.State
	}{
		{"without_second_factor_persons", 4, `{"below":5,"metric":"without_second_factor_persons","op":"<="}`, record.Broken},
		{"without_second_factor_persons", 0, `{"below":5,"metric":"without_second_factor_persons","op":"<="}`, record.Kept},
		{"without_second_factor_persons", 5, `{"metric":"without_second_factor_persons","op":"<=","value":5}`, record.Broken},
		{"users", 1, `{"below":5,"metric":"users","op":"<="}`, record.Broken},
		{"open_ports", 0, `{"metric":"open_ports","op":"<=","value":0}`, record.Kept},
	} {
		s := good(reg)
		s.observe("tls", start, "W1").Result = record.Result{State: record.Kept, Metric: c.metric, Value: c.value, Op: "<="}
		drill := s.add(record.Drill, "tls", start, "W1")
		drill.Result = record.Result{State: record.Pass, Metric: c.metric, Value: c.value}
		l := fold(t, reg, s.records)
		row := rowOf(promise.Snap(l, "o", l.Size(), "r", start), "W1")
		page := string(promise.Snap(l, "o", l.Size(), "r", start).Canonical())
		if row.State != c.state || !strings.Contains(page, `"measure":`+c.want) {
			t.Errorf("%s %d: %s, %+v", c.metric, c.value, row.State, row.Measure)
		}
		if hidden := strings.Contains(c.want, "below"); hidden != (row.Drill.Measure.Value == nil) {
			t.Errorf("%s %d: the drill tells %+v", c.metric, c.value, row.Drill.Measure)
		}
	}
}

// TestPersonsBehindFindings: each finding of a duty that everybody owes is a person, so few are not counted in public. Five
// are, and so are those of any other control.
func TestPersonsBehindFindings(t *testing.T) {
	t.Parallel()
	p := house()
	p.Promises = append(p.Promises, policy.Promise{ID: "D2", SameAs: "D1", Text: policy.Text{FR: "Phrase D2."}, Check: "check-D", Severity: policy.High, KeptBy: []policy.Keeper{keeper(policy.Duty, "review-access")}})
	for _, c := range []struct {
		name           string
		personal       bool
		people, others int
		count, below   int
	}{
		{"nobody", true, 0, 0, 0, 0},
		{"one", true, 1, 0, 0, 5},
		{"four", true, 4, 0, 0, 5},
		{"five", true, 5, 0, 5, 0},
		{"one, and one thing", true, 1, 1, 0, 5},
		{"one thing", true, 0, 1, 1, 0},
		{"one, of a duty of the company", false, 1, 0, 1, 0},
	} {
		reg := promise.NewRegister(p, promise.Duties{{ID: "review-access", Every: "P90D", Personal: c.personal}})
		s := good(reg)
		for i := range c.people + c.others {
			control := "review-access"
			if i >= c.people {
				control = "tls"
			}
			s.wrong(control, start.Add(-time.Duration(i+1)*time.Minute), "D1")
		}
		l := fold(t, reg, s.records)
		for _, id := range []string{"D1", "D2"} {
			got := promise.State(l, id, start)
			if got.Findings != c.count || got.FindingsBelow != c.below {
				t.Errorf("%s: %s tells of %d findings, or below %d; want %d and %d", c.name, id, got.Findings, got.FindingsBelow, c.count, c.below)
			}
		}
		page := string(promise.Snap(l, "o", l.Size(), "r", start).Canonical())
		if strings.Contains(page, `"findings":`) != (c.count > 0) || strings.Contains(page, `"findings_below":5`) != (c.below > 0) {
			t.Errorf("%s: the page tells otherwise", c.name)
		}
	}
}
