package table_test

import (
	"encoding/csv"
	"errors"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/table"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"plain": "plain", "": "", "a,b": "a,b", `say "hi"`: `say ""hi""`, "Zoé": "Zoé", "  around ": "around",
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "＝1": "'＝1", " \t=1": "'=1", "\r=1": "'=1", "a;=1": "a;'=1", "a\n=1": "a\n'=1", "a\t@b": "a\t'@b",
		"a\r\nb": "a\nb", "a\u200b\x00b": "ab", "\u202e=1": "'=1", "a\xff": "a\uFFFD", "10-20": "10-20", `"=1`: `""'=1`,
	} {
		var out strings.Builder
		if err := table.Line(&out, []string{cell, "x"}); err != nil || out.String() != `"`+want+`","x"`+"\r\n" {
			t.Errorf("%q is written as %q, %v", cell, out.String(), err)
		}
		if read, err := csv.NewReader(strings.NewReader(out.String())).Read(); err != nil || len(read) != 2 {
			t.Errorf("%q reads back as %q, %v", cell, read, err)
		}
	}
	cells := []string{"=1"}
	if table.Line(&strings.Builder{}, cells) != nil || cells[0] != "=1" {
		t.Error("the caller's cells were changed")
	}
	if table.Line(full{}, cells) == nil {
		t.Error("an error was swallowed")
	}
}

// TestBegin: the mark of UTF-8 stands before the first line, once, and a cell cannot bring another.
func TestBegin(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := table.Begin(&out, []string{"name", "\uFEFFcity"}); err != nil || table.Line(&out, []string{"Zoé", "Łódź"}) != nil {
		t.Fatal(err)
	}
	if want := "\xEF\xBB\xBF\"name\",\"city\"\r\n\"Zoé\",\"Łódź\"\r\n"; out.String() != want {
		t.Errorf("written %q, want %q", out.String(), want)
	}
	if table.Begin(full{}, []string{"a"}) == nil {
		t.Error("an error was swallowed")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }
