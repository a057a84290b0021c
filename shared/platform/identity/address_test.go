package identity_test

import (
	"strings"
	"testing"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"jane.doe@labelsync.example":                "jane.doe@labelsync.example",
		"Jane.Doe@LabelSync.EXAMPLE":                "jane.doe@labelsync.example",
		"o'hara+ip_1@mail.co.example":               "o'hara+ip_1@mail.co.example",
		"jane@xn--bcher-kva.example":                "jane@xn--bcher-kva.example",
		"1@1.example":                               "1@1.example",
		"":                                          "",
		"jane":                                      "",
		"jane@":                                     "",
		"@labelsync.example":                        "",
		"jane@localhost":                            "",
		"jane@labelsync.example.":                   "",
		"jane@.labelsync.example":                   "",
		"jane@labelsync..example":                   "",
		"jane@-labelsync.example":                   "",
		"jane@labelsync-.example":                   "",
		"jane@label_sync.example":                   "",
		"jane@[192.0.2.1]":                          "",
		".jane@labelsync.example":                   "",
		"jane..doe@labelsync.example":               "",
		"jane@evil@labelsync.example":               "",
		" jane@labelsync.example":                   "",
		"jane@labelsync.example\n":                  "",
		"jane/doe@labelsync.example":                "",
		`"jane"@labelsync.example`:                  "",
		"jane@boo\u212Aafy.example":                 "", // the Kelvin sign turns into k in lower case
		"jane@labels\u0443nc.example":               "",
		"jane@labelsync.example\u200b":              "",
		strings.Repeat("a", 64) + "@a.example":      strings.Repeat("a", 64) + "@a.example",
		strings.Repeat("a", 65) + "@a.example":      "",
		"a@" + strings.Repeat("a", 64) + ".example": "",
		"a@" + strings.Repeat(strings.Repeat("a", 62)+".", 4) + "ex": "",
	} {
		got, err := identity.Address(raw)
		if got != want || (want == "") != fault.Is(err, fault.Invalid) {
			t.Errorf("Address(%q) = %q, %v; want %q", raw, got, err, want)
		}
		if err != nil && raw != "" && strings.Contains(err.Error(), raw) && raw != "jane" {
			t.Errorf("Address(%q): the error repeats it", raw)
		}
	}
}

func TestDomain(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"LabelSync.example": "labelsync.example", "": "", "example": "", "labelsync.example.": "",
		"labelsyn\u0441.example": "", "a b.example": "", "jane@labelsync.example": "",
	} {
		if got, err := identity.Domain(raw); got != want || (want == "") != fault.Is(err, fault.Invalid) {
			t.Errorf("Domain(%q) = %q, %v; want %q", raw, got, err, want)
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"jane@labelsync.example", "Jane+1@A.B.example", "@", "a@b@c.example", "\u212A@a.example", "a@b.c\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		clean, err := identity.Address(raw)
		if err != nil {
			return
		}
		if again, err := identity.Address(clean); err != nil || again != clean {
			t.Errorf("Address(%q) = %q is not its own clean form: %q, %v", raw, clean, again, err)
		}
		if clean != strings.ToLower(raw) || strings.Count(clean, "@") != 1 || strings.ContainsAny(clean, "/ <>\"\\,;") {
			t.Errorf("Address(%q) = %q", raw, clean)
		}
	})
}
