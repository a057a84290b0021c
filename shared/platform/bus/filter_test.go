package bus_test

import (
	"strings"
	"testing"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/fault"
)

func TestParseFilterRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`region = "eu"`, `attributes.region = eu`, `attributes.region = "eu`, `attributes.region == "eu"`, `attributes. = "x"`,
		`attributes.a = "b" AND`, `attributes.a = "b" and attributes.c = "d"`, `attributes.a = "b" attributes.c = "d"`,
		`attributes.a = "b" OR attributes.c = "d"`, `(attributes.a = "b")`, `NOT`, `NOT NOT attributes:a`, `AND`,
		`hasPrefix(attributes.a)`, `hasPrefix("b", attributes.a)`, `hassuffix(attributes.a, "b")`, `attributes.a = "\q"`,
		`attributes.a = "` + strings.Repeat("x", 256) + `"`,
	} {
		if _, err := bus.ParseFilter(text); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("ParseFilter(%s): %v, want Misconfigured", text, err)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add(`attributes.region = "eu" AND NOT hasPrefix(attributes.kind, "te") AND attributes:a-b_1`)
	f.Add(`attributes.kind != "a \"quoted\" word"`)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := bus.ParseFilter(text)
		if err != nil && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%q: %v, want Misconfigured", text, err)
		}
		filter.Match(map[string]string{"region": "eu"})
	})
}
