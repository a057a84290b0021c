package auditlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/watch/auditlog"
)

// read returns what Lines gives as "line:insertId" or "line:error".
func read(r io.Reader) (all []string) {
	for line, err := range auditlog.Lines(r, auditlog.Mapping{}) {
		switch {
		case fault.Is(err, fault.Invalid):
			all = append(all, fmt.Sprint(line.Number, ":error"))
		case err != nil:
			all = append(all, fmt.Sprint(line.Number, ":end"))
		default:
			for _, e := range line.Entries {
				all = append(all, fmt.Sprint(line.Number, ":", e.Method))
			}
		}
	}
	return all
}

func line(method string) string {
	return `{"logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","protoPayload":{"serviceName":"s","methodName":"` + method + `"}}`
}

func pretty(method string) string {
	return "{\n  \"logName\": \"projects/p/logs/cloudaudit.googleapis.com%2Factivity\",\n  \"protoPayload\": {\n    \"serviceName\": \"s\",\n    \"methodName\": \"" + method + "\"\n  }\n}"
}

func TestLines(t *testing.T) {
	t.Parallel()
	a, b, c := line("a"), line("b"), line("c")
	big := `{"logName":"` + strings.Repeat("x", auditlog.MaxSize) + `"}`
	cases := []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"blank", "\n \r\n", ""},
		{"lines", a + "\n" + b + "\r\n\n" + c, "1:a 2:b 4:c"},
		{"one array", "[" + a + "," + b + "]\n", "1:a 1:b"},
		{"an array over lines", "[\n" + a + ",\n" + b + "\n]\n", "2:a 3:b"},
		{"an empty array", "[]", ""},
		{"an array cut between objects", "[\n" + a + ",\n" + b + ",\n", "2:a 3:b 4:error"},
		{"an array cut behind its beginning", "[", "1:error"},
		{"an array cut in an object", "[" + a + "," + b[:40], "1:a 1:error"},
		{"an array whose beginning is cut", a + ",\n" + b + "]\n", "1:a 2:b 3:error"},
		{"a broken object in an array", "[\n{\"a\":\n" + b + "\n]", "2:error 3:b"},
		{"arrays one after the other", "[" + a + "]\n[" + b + "]", "1:a 2:b"},
		{"pretty objects", pretty("a") + "\n" + pretty("b"), "1:a 8:b"},
		{"a pretty array", "[\n" + pretty("a") + ",\n" + pretty("b") + "\n]", "2:a 9:b"},
		{"a byte order mark", "\xEF\xBB\xBF" + a, "1:a"},
		{"braces and quotes in a text", line(`a{\"}[\\`) + "\n" + b, `1:a{"}[\ 2:b`},
		{"a word between", a + "\nsecret\n" + b, "1:a 2:error 3:b"},
		{"cut off at the end", a + "\n" + b[:40], "1:a 2:error"},
		{"cut off in a string", a + "\n" + b[:20] + "\n" + c, "1:a 2:error 3:c"},
		{"cut off between", a + "\n" + `{"logName":` + "\n" + c, "1:a 2:error 3:c"},
		{"not an entry", a + "\n{}\n" + c, "1:a 2:error 3:c"},
		{"too large", a + "\n" + big + "\n" + c, "1:a 2:error 3:c"},
		{"envelopes", string(envelopes([]byte(a))["push"]) + "\n" + string(envelopes([]byte(b))["eventarc"]), "1:a 2:b"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := strings.Fields(c.want)
			if got := read(strings.NewReader(c.text)); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if len(c.text) < 1<<16 {
				if got := read(iotest.OneByteReader(strings.NewReader(c.text))); !slices.Equal(got, want) {
					t.Errorf("byte by byte: got %v, want %v", got, want)
				}
			}
		})
	}
}

func TestLinesEndsWhereTheReaderFails(t *testing.T) {
	t.Parallel()
	broken := io.MultiReader(strings.NewReader(line("a")+"\n{"), iotest.ErrReader(errors.New("disk")))
	if got := read(broken); !slices.Equal(got, []string{"1:a", "2:end"}) {
		t.Errorf("%v", got)
	}
}

func TestLinesStopsWhenToldTo(t *testing.T) {
	t.Parallel()
	for range auditlog.Lines(strings.NewReader(line("a")+"\nx\n"+line("b")), auditlog.Mapping{}) {
		break
	}
}

// Entries of one line must not change when the next is read.
func TestLinesKeepTheirBytes(t *testing.T) {
	t.Parallel()
	export := bytes.Join(compacted(t), []byte("\n"))
	var all []auditlog.Entry
	for line, err := range auditlog.Lines(bytes.NewReader(export), auditlog.Mapping{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, line.Entries...)
	}
	for i, data := range compacted(t) {
		if want := one(t, data, auditlog.Mapping{}); string(all[i].Payload) != string(want.Payload) || all[i].ID != want.ID {
			t.Errorf("entry %d changed", i)
		}
	}
}
