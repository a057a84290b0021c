package record

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// The forms are these regular expressions, which take much longer.
func TestForms(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name, is string
		form     form
		good     string // one of the form, as long as it may be
	}{
		{"digest", `^sha256:[0-9a-f]{64}$`, digestForm, "sha256:" + strings.Repeat("0f", 32)},
		{"commitment", `^hmac:[a-z2-7]{52}$`, commitmentForm, "hmac:" + strings.Repeat("az27", 13)},
		{"id", `^[a-z2-7]{32}$`, idForm, strings.Repeat("za72", 8)},
		{"name", `^[a-z0-9][a-z0-9_-]{0,127}$`, nameForm, "0" + strings.Repeat("a-_", 42) + "z"},
		{"name of a fact", `^[a-z][a-z0-9_]{0,31}$`, factNameForm, "z" + strings.Repeat("_9", 15) + "a"},
		{"word", `^[A-Za-z0-9][A-Za-z0-9._/+:-]{0,127}$`, wordForm, "Z" + strings.Repeat("a.0_/+:-", 15) + "1234567"},
	} {
		is := regexp.MustCompile(c.is)
		if !is.MatchString(c.good) {
			t.Fatalf("%s: %q", c.name, c.good)
		}
		texts := []string{"", c.good, c.good + "a", c.good + "\n", "\n" + c.good, c.good[:1], "é", strings.TrimSuffix(c.good, c.good[1:]) + "é"}
		for at := range c.good {
			texts = append(texts, c.good[:at], c.good[at:])
			for range 40 {
				texts = append(texts, c.good[:at]+string([]byte{byte(random.IntN(256))})+c.good[at+1:])
			}
		}
		for _, text := range texts {
			if got, want := c.form.MatchString(text), is.MatchString(text); got != want {
				t.Errorf("%s: %q: %v, want %v", c.name, text, got, want)
			}
		}
	}
}

func TestWordIsNoAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"kept": true, "-1": true, "--1": false, "-": false, "a/b": true, "1.2": true, "2026-11-21T09:58": true, "10": true, "cafe": true, "a@b": false,
		"192.0.2.1": false, "192.0.2.0/24": false, "192.0.2.1:443": false, "2001:db8::1": false, "2001:db8::/32": false, "::1": false, "ip:192.0.2.1": true,
	} {
		if isWord(text) != want {
			t.Errorf("%q: %v, want %v", text, !want, want)
		}
	}
}
