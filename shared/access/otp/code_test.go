package otp

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"123456": "123456", "000152": "000152", " 123 456 ": "123456", "123-456": "123456", "1 2 3-4 5 6": "123456",
		"12345678": "12345678", "1234 5678": "12345678", "123 - 456": "123456",
	} {
		if got, ok := Parse(typed, 6, 8); !ok || got != want {
			t.Errorf("%q: %q %v, want %q", typed, got, ok, want)
		}
	}
	for name, typed := range map[string]string{
		"empty": "", "spaces": "      ", "short": "12345", "between": "1234567", "long": "123456789", "very long": strings.Repeat("1", 1<<20),
		"many spaces": "123456" + strings.Repeat(" ", 64), "two hyphens": "12-34-56", "doubled hyphen": "123--456",
		"minus": "-123456", "minus in place of a digit": "-12345", "trailing hyphen": "123456-", "hyphen then space": "123456- ", "plus": "+123456",
		"underscore": "123_456", "point": "123456.0", "comma": "123,456", "exponent": "1e5000", "hexadecimal": "0x1e24", "octal": "0o123456",
		"tab": "123\t456", "newline": "123456\n", "NUL": "123456\x00", "NUL for a digit": "12345\x00", "no-break space": "123\u00a0456",
		"full-width digits": "１２３４５６", "Arabic-Indic digits": "١٢٣٤٥٦", "Devanagari digits": "१२३४५६", "mathematical digits": "𝟏𝟐𝟑𝟒𝟓𝟔",
		"superscripts": "¹²³⁴⁵⁶", "one foreign digit": "12345６", "en dash": "123–456", "soft hyphen": "123\u00ad456", "zero width": "123\u200b456",
		"right-to-left mark": "\u200f123456", "letters": "abcdef", "letter O": "12345O", "not UTF-8": "12345\xff", "colon above nine": "12345:", "slash below zero": "12345/",
		"2^63": "9223372036854775808", "2^64": "18446744073709551616", "JSON": `{"code":1}`, "quoted": `"123456"`,
	} {
		if got, ok := Parse(typed, 6, 8); ok {
			t.Errorf("%s: %q passes as %q", name, typed, got)
		}
	}
	if _, ok := Parse("123456"); ok {
		t.Error("a code passes where no length is allowed")
	}
}

// FuzzParse: whatever passes is digits, as many as asked for, in the order they were typed, with nothing but spaces
// and one hyphen lost.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"123456", "123 456", "12-34-56", "-123456", "１２３４５６", "9223372036854775808", "1\x00", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := Parse(typed, 6, 7, 8)
		if !ok {
			if code != "" {
				t.Fatalf("refused, yet returned %q", code)
			}
			return
		}
		if len(code) < MinDigits || len(code) > MaxDigits || strings.Trim(code, "0123456789") != "" {
			t.Fatalf("%q passes as %q", typed, code)
		}
		if strings.Replace(strings.ReplaceAll(typed, " ", ""), "-", "", 1) != code {
			t.Fatalf("%q became %q", typed, code)
		}
	})
}

func FuzzRecoveryCode(f *testing.F) {
	for _, seed := range []string{"ABCD-EFGH-IJKL-MNOP", "abcd efgh ijkl mnop", "ABCD-EFGH-IJKL-MNO\n", "ABCDEFGHIJKLMNO1", "ABCD", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := parseRecovery(typed)
		if ok && (len(code) != codeLetters || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "") {
			t.Fatalf("%q passes as %q", typed, code)
		}
	})
}
