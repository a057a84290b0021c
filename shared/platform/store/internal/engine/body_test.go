package engine

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// FuzzEncode feeds the encoder JSON of any kind: it refuses with Invalid, or returns what encodes to itself.
func FuzzEncode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"v":1,"expires":"2026-03-01T00:00:00+01:00"}`, `{"expires":null}`, `{"expires":"0001-01-01T00:00:00Z"}`, `{"a":1,"a":2}`,
		`{"a":9223372036854775807,"b":-9223372036854775808,"c":9223372036854775808}`, `{"a":1e999}`, `{"a":1.0,"b":-0e0,"c":1e21}`, `{"a":1e20}`, `{"a":1e18}`, `{"a":-1.5e-7}`,
		`{"a":"\ufffd"}`, `{"a":"\\ufffd"}`, `{"a":"\ud800"}`, `{"a":"\u0000\u2028<"}`, `[]`, `null`, `{"a":[[]]}`, `{"__a__":1}`, `{"":1}`,
		strings.Repeat(`{"a":`, 30) + `1` + strings.Repeat(`}`, 30),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := Encode(json.RawMessage(raw))
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("error %v is not Invalid", err)
			}
			return
		}
		again, err := Encode(json.RawMessage(b.JSON))
		if err != nil || !bytes.Equal(b.JSON, again.JSON) || !again.Expires.Equal(b.Expires) {
			t.Fatalf("%s encodes to %s, and that to %s, %v", raw, b.JSON, again.JSON, err)
		}
		if _, err := Parse(b.JSON); err != nil {
			t.Fatalf("%s is not read back: %v", b.JSON, err)
		}
	})
}

func TestExpiresIsKeptInOneForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-03-01T00:00:00Z":                "2026-03-01T00:00:00.000000Z",
		"2026-03-01T00:00:00.1234569+01:00":   "2026-02-28T23:00:00.123456Z",
		"0001-01-01T00:00:00Z":                "",
		"0001-01-01T00:00:00.000001Z":         "0001-01-01T00:00:00.000001Z",
		"9999-12-31T23:59:59.9999999Z":        "9999-12-31T23:59:59.999999Z",
		"9999-12-31T23:59:59-01:00":           "",
		"2026-03-01":                          "",
		"2026-03-01T00:00:00":                 "",
		"":                                    "",
		strings.Repeat("2026-03-01T00:00", 9): "",
	} {
		b, err := Encode(map[string]string{"expires": text})
		switch {
		case want == "":
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v; want Invalid", text, err)
			}
		case err != nil || b.Expires.Format(ExpiresLayout) != want || string(b.JSON) != `{"expires":"`+want+`"}`:
			t.Errorf("%q: %s, %v; want %s", text, b.JSON, err, want)
		case !b.Live(b.Expires.Add(-time.Microsecond)) || b.Live(b.Expires):
			t.Errorf("%q: does not end at its instant", text)
		}
	}
}

func TestSchemaFaults(t *testing.T) {
	t.Parallel()
	for name, s := range faultySchemas {
		if _, err := newSchema(s); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v; want Misconfigured", name, err)
		}
	}
}
