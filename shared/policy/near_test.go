package policy

import (
	"strings"
	"testing"
)

func TestMeant(t *testing.T) {
	t.Parallel()
	known := []string{"kept_by", "public-exposure", "nda", "A90", "name", "iso-27001", "secret-change", "secret-access"}
	for written, want := range map[string]string{
		"kept-by": "kept_by", "KEPT_BY": "kept_by", "ketp_by": "kept_by", "kep_by": "kept_by", "kkept_by": "kept_by",
		"public-exposur": "public-exposure", "publik-expsure": "public-exposure", "nam": "name", "A9O": "A90", "a90": "A90", "secret-acess": "secret-access",
		"kept_by": "", "publik-expsur": "", "A91": "", "A09": "", "iso-27002": "", "iso27001": "iso-27001", "iso-2700": "iso-27001", "na": "", "": "", "something": "",
		strings.Repeat("kept_by", 100): "",
	} {
		if want != "" {
			want = ` (did you mean "` + want + `"?)`
		}
		if got := Meant(written, known); got != want {
			t.Errorf("%.40q: %q, want %q", written, got, want)
		}
	}
}

// TestMisspeltKeyIsToldOnce: not as a key too many and a key too few.
func TestMisspeltKeyIsToldOnce(t *testing.T) {
	t.Parallel()
	problems := []Problem{
		{File: "a.yaml", Line: 1, Key: "x[0].check", What: "is missing"},
		{File: "b.yaml", Line: 1, Key: "x[0].check", What: "is missing"},
		{File: "a.yaml", Line: 2, Key: "x[0].chek", What: "unknown key", meant: "x[0].check"},
	}
	if got := Sort(problems); len(got) != 2 || got[0].Key != "x[0].chek" || got[1].File != "b.yaml" {
		t.Errorf("told %v", got)
	}
}

func TestRemarksStopNothing(t *testing.T) {
	t.Parallel()
	remark := Problem{File: "a.yaml", Line: 1, Key: "x", What: "is odd", Remark: true}
	if err := Refuse([]Problem{remark}); err != nil {
		t.Error(err)
	}
	if got := remark.String(); got != "a.yaml:1: x: remark: is odd" {
		t.Error(got)
	}
}

// TestMeantIsBounded: of a folder of nothing but references to nothing, only the first say what was meant.
func TestMeantIsBounded(t *testing.T) {
	t.Parallel()
	l := loading{policy: &Policy{promises: map[string]int{"DATA1": 0}}}
	for i := range 2 * maxSuggested {
		what, _ := l.noPromise("DTAA1")
		if got := strings.Contains(what, "did you mean"); got != (i < maxSuggested) {
			t.Fatalf("the %dth: %s", i+1, what)
		}
	}
	many := make([]string, maxKnown+1)
	for i := range many {
		many[i] = "name"
	}
	if Meant("nmae", many[1:]) == "" || Meant("nmae", many) != "" {
		t.Error("a list without measure is searched")
	}
}
