package secret

import (
	"strings"
	"testing"

	"ostiary.internal/shared/platform/fault"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for reference, want := range map[string]struct {
		name    string
		version int
	}{
		"smtp-password":             {"smtp-password", 0},
		"SMTP_password@12":          {"SMTP_password", 12},
		strings.Repeat("n", 255):    {strings.Repeat("n", 255), 0},
		strings.Repeat("n", 256):    {},
		"":                          {},
		"@1":                        {},
		"name@":                     {},
		"name@latest":               {},
		"name@0":                    {},
		"name@-1":                   {},
		"name@+1":                   {},
		"name@01":                   {},
		"name@1@2":                  {},
		"../name":                   {},
		"a/versions/latest":         {},
		"na me":                     {},
		"name@99999999999999999999": {},
	} {
		name, version, err := Parse(reference)
		if name != want.name || version != want.version || (want.name == "") != fault.Is(err, fault.Misconfigured) {
			t.Errorf("Parse(%q) = %q, %d, %v", reference, name, version, err)
		}
	}
}
