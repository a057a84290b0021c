package datamap_test

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	const fine, doubtful, refused = "", datamap.CodeDoubtful, datamap.CodeRefused
	for _, c := range []struct{ value, anywhere, inPath string }{
		{"u1", fine, fine}, {"4711", fine, fine}, {"ada@acme.example", fine, fine}, {"o'hara+news@acme.example", fine, fine}, {"山田太郎", fine, fine}, {"Иван", fine, fine},
		{"", refused, refused}, {"*", refused, refused}, {".", refused, refused}, {"..", refused, refused}, {"/", refused, refused}, {"%", refused, refused}, {"___", refused, refused}, {" ", refused, refused},
		{"a/b", fine, refused}, {"../u1", fine, refused}, {`a\b`, fine, refused}, {"__name__", fine, refused},
		{"null", refused, refused}, {"Undefined", refused, refused}, {"0", refused, refused}, {"anonymous", refused, refused},
		{"u1\x00", refused, refused}, {"u1\n", refused, refused}, {"u\t1", refused, refused}, {"u1 ", refused, refused}, {" u1", refused, refused}, {"\xff", refused, refused},
		{"u\u200b1", refused, refused}, {"\u202eu1", refused, refused}, {"u1\u2028", refused, refused}, {"u1\ufffd", refused, refused},
		{strings.Repeat("x", 1500), fine, fine}, {strings.Repeat("x", 1501), refused, refused}, {strings.Repeat("x", 2000), refused, refused}, {strings.Repeat("é", 1000), refused, refused},
		{"u*", doubtful, doubtful}, {"u%", doubtful, doubtful}, {"u?", doubtful, doubtful}, {"u", doubtful, doubtful},
		{"аda@acme.example", doubtful, doubtful},                   // a Cyrillic a
		{"ada@асме.example", doubtful, doubtful},                   // a Cyrillic domain
		{"ada@xn--80ak6aa92e.example", doubtful, doubtful},         // the same, spelled out
		{"jürgen@acme.example", doubtful, doubtful},                // nobody folds it in silence
		{"ada@evil.example@acme.example", doubtful, doubtful},      // whose is it?
		{"ａｄａ", doubtful, doubtful}, {"ſmith", doubtful, doubtful}, // other forms of the same letters
		{"e\u0301va", doubtful, doubtful}, {"pаypal", doubtful, doubtful}, // composed otherwise; a Cyrillic a
	} {
		for _, into := range []erasure.MatchKind{"", erasure.MatchEquals, erasure.MatchDocument, erasure.MatchPrefix} {
			want := c.anywhere
			if into == erasure.MatchDocument || into == erasure.MatchPrefix {
				want = c.inPath
			}
			err := datamap.Guard(c.value, into)
			if got := fault.CodeOf(err); got != want || (err == nil) != (want == "") {
				t.Errorf("%.40q into %q: %q, want %q", c.value, into, got, want)
			}
			if kind := map[string]fault.Kind{doubtful: fault.Denied, refused: fault.Invalid, fine: ""}[want]; fault.KindOf(err) != kind {
				t.Errorf("%.40q into %q is %q", c.value, into, fault.KindOf(err))
			}
			if err != nil && len(c.value) > 3 && strings.Contains(err.Error(), c.value) {
				t.Errorf("the error holds %q", c.value)
			}
		}
	}
}

// TestHostileIdentifiersNeverCompile: what Guard refuses stops the whole request; what is doubtful is searched for as it
// stands, and a person has to approve what is found.
func TestHostileIdentifiersNeverCompile(t *testing.T) {
	t.Parallel()
	m := read(t, good)
	for _, value := range []string{"", "*", "..", "a/b", strings.Repeat("x", 2000), "undefined", "u1\u202e"} {
		steps, err := m.Compile("north", known("uid", value, "email", "ada@north.example"))
		if !fault.Is(err, fault.Invalid) || steps != nil {
			t.Errorf("%.20q: %d steps, %v", value, len(steps), err)
		}
		if lookups, err := m.Lookups("north", known("email", value)); value != "a/b" && (err == nil || lookups != nil) {
			t.Errorf("%.20q is looked up", value)
		}
	}
	for _, tenant := range []string{"", "*", ".", "..", "a/b", "north/../south", "{tenant}", "north ", "nоrth", "no\x00rth", "__all__", strings.Repeat("t", 1501), "null"} {
		for what, compile := range map[string]func() error{
			"compile":  func() error { _, err := m.Compile(tenant, known("uid", "u1")); return err },
			"instruct": func() error { _, err := m.Instruct(tenant, known("email", "a@b.example")); return err },
			"close":    func() error { _, err := m.Close(tenant); return err },
			"look up":  func() error { _, err := m.Lookups(tenant, known("email", "a@b.example")); return err },
			"on file":  func() error { _, err := m.OnFile(tenant, "a@b.example"); return err },
			"sweep":    func() error { _, err := m.Sweeps(tenant, morning); return err },
		} {
			if err := compile(); !fault.Is(err, fault.Invalid) && tenant != "{tenant}" {
				t.Errorf("%s of the tenant %.20q: %v", what, tenant, err)
			}
		}
	}
	doubtful, err := m.Compile("north", known("email", "JÜRGEN@North.example"))
	if err != nil || !slices.Equal(doubtful[0].Query.Match.Values, []string{"JÜRGEN@North.example", "jÜrgen@north.example"}) {
		t.Errorf("an address beyond ASCII is searched for as %v, %v", brief(doubtful), err)
	}
}

func TestShared(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"info@acme.example": true, "Contact@acme.example": true, "no-reply@acme.example": true, "noreply@acme.example": true, "no.reply@acme.example": true,
		"support+7@acme.example": true, " sales@acme.example": true, "datenschutz@acme.example": true, "webmaster@acme.example": true,
		"ada@acme.example": false, "information.desk@acme.example": false, "informatik@acme.example": false, "ada.info@acme.example": false, "info": false, "": false,
	} {
		if got := datamap.Shared(address); got != want {
			t.Errorf("%q is shared: %v", address, got)
		}
	}
}
