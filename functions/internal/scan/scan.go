// Package scan finds secrets that somebody left in a file: private keys, tokens of services in the forms their makers gave them,
// passwords in URLs, and text so random that it may be one. It never repeats what it found, so that a test may print it.
//
// It finds no secret that looks like a word, and none that was cut in pieces or encoded once more.
package scan

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
)

// Found is one place where a secret may stand.
type Found struct {
	Rule string
	Line int    // from 1
	Text string // its first letters and its length, never the whole
}

// rule is one form that secrets have. A text that holds none of the words is not looked at further.
type rule struct {
	name  string
	words []string
	form  *regexp.Regexp
}

// forms are those that mean a secret wherever they stand. Sources: the pages of each service on its own tokens, and the
// prefixes that GitHub's secret scanning lists.
var forms = []rule{
	{"private key", []string{"PRIVATE KEY"}, regexp.MustCompile(`-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[rn])*[A-Za-z0-9+/=]{16,}`)},
	{"private key of age", []string{"AGE-SECRET-KEY-1"}, regexp.MustCompile(`AGE-SECRET-KEY-1[0-9A-Z]{20,}`)},
	{"private key of a signed note", []string{"PRIVATE+KEY+"}, regexp.MustCompile(`PRIVATE\+KEY\+[^\s+"]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{16,}`)},
	{"key of a Google account", []string{"private_key"}, regexp.MustCompile(`"private_key(?:_id)?"\s*:\s*"[^"]{16,}`)},
	{"Google API key", []string{"AIza"}, regexp.MustCompile(`\bAIza[0-9A-Za-z_-]{35}`)},
	{"Google client secret", []string{"GOCSPX-"}, regexp.MustCompile(`\bGOCSPX-[0-9A-Za-z_-]{20,}`)},
	{"Google token", []string{"ya29.", "1//0"}, regexp.MustCompile(`\b(?:ya29\.[0-9A-Za-z_-]{20,}|1//0[0-9A-Za-z_-]{30,})`)},
	{"GitHub token", []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"}, regexp.MustCompile(`\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{40,})`)},
	{"AWS key", []string{"AKIA", "ASIA"}, regexp.MustCompile(`\b(?:AKIA|ASIA)[0-9A-Z]{16}\b`)},
	{"Slack token", []string{"xox", "hooks.slack.com"}, regexp.MustCompile(`\bxox[abeposr]-[0-9A-Za-z-]{20,}|hooks\.slack\.com/services/T[0-9A-Z]{6,}/B[0-9A-Z]{6,}/[0-9A-Za-z]{16,}`)},
	{"key of a chat room", []string{"chat.googleapis.com"}, regexp.MustCompile(`chat\.googleapis\.com/v1/spaces/[^\s"]*key=[^\s"&]{20,}`)},
	{"Stripe key", []string{"k_live_", "k_test_"}, regexp.MustCompile(`\b[sr]k_(?:live|test)_[0-9A-Za-z]{16,}`)},
	{"SendGrid key", []string{"SG."}, regexp.MustCompile(`\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}`)},
	{"npm token", []string{"npm_"}, regexp.MustCompile(`\bnpm_[0-9A-Za-z]{36}\b`)},
	{"webhook secret", []string{"whsec_"}, regexp.MustCompile(`\bwhsec_[A-Za-z0-9+/=]{20,}`)},
	{"signed token", []string{"eyJ"}, regexp.MustCompile(`\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{16,}`)},
}

// Forms that often mean a secret: passwords in URLs, and what is called so. A machine called .example or .test is nobody's.
var (
	inURL   = regexp.MustCompile(`^[^\s:/?#"'@<>\[\]{}$%]+:[^\s/?#"'@<>\[\]{}$]{3,}@([0-9A-Za-z][0-9A-Za-z.-]*)`)
	nobodys = regexp.MustCompile(`(?:^|\.)(?:example|test|invalid|localhost)(?:\.com|\.org|\.net)?\.?$|^127\.`)
	called  = regexp.MustCompile("(?i:secret|token|passwd|password|api_?key|private_?key|seed)[\"']?\\s*(?::=|=|:)\\s*[\"'`]$")
	wordy   = regexp.MustCompile(`^(?:[a-z]+|[A-Za-z]+(?:[_-][A-Za-z]*)+|[A-Za-z]?[a-z]+(?:[A-Z][a-z]+)*)$`)
	// told is what says by its own form that it is no secret: hashes of go.sum and npm, public keys of signed notes, JSON in base64,
	// and alphabets.
	told = regexp.MustCompile(`^(?:h1:|sha(?:256|384|512)-|eyJ)|\+[0-9a-f]{8}\+|abcdefgh|01234567`)
)

// dense is how many bits each symbol of a random text carries at least: base64 of a 24-byte key has about 4.6, words and
// names in camel case stay below 4.4.
const (
	dense       = 4.6
	denseInPart = 4.2 // the fewer symbols there are, the fewer bits each can carry
)

// Keys finds the forms that mean a secret wherever they stand.
func Keys(text []byte) []Found {
	var all []Found
	for _, r := range forms {
		if !slices.ContainsFunc(r.words, func(w string) bool { return bytes.Contains(text, []byte(w)) }) {
			continue
		}
		for _, at := range r.form.FindAllIndex(text, -1) {
			all = append(all, found(r.name, text, at))
		}
	}
	return all
}

// Secrets finds what Keys does, and guesses: passwords in URLs, values that are called a secret, random text.
func Secrets(text []byte) []Found {
	all := Keys(text)
	for at := 0; ; {
		next := bytes.Index(text[at:], []byte("://"))
		if next < 0 {
			break
		}
		at += next + len("://")
		if m := inURL.FindSubmatchIndex(text[at:min(len(text), at+300)]); m != nil && !nobodys.Match(text[at+m[2]:at+m[3]]) {
			all = append(all, found("password in a URL", text, []int{at, at + m[1]}))
		}
	}
	for begin := 0; begin < len(text); begin++ {
		end := begin
		for end < len(text) && symbol[text[end]] {
			end++
		}
		if rule := guess(text, begin, end); rule != "" {
			all = append(all, found(rule, text, []int{begin, end}))
		}
		begin = end
	}
	return all
}

// symbol are the symbols that keys are written in: those of base64 in both alphabets, and of hexadecimal and base32 with them.
var symbol = func() (is [256]bool) {
	for _, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-") {
		is[b] = true
	}
	return is
}()

// guess says what the symbols between begin and end may be; "" for nothing.
func guess(text []byte, begin, end int) string {
	word := text[begin:end]
	switch {
	case len(word) < 16:
	case bytes.IndexByte(word, '/') < 0 && !wordy.Match(word) && called.Match(text[max(0, begin-48):begin]):
		return "called a secret"
	case len(word) >= 32 && bits(word) >= dense && !told.Match(text[max(0, begin-len("h1:")):end]) && !told.Match(word):
		for part := range bytes.SplitSeq(word, []byte("/")) { // of a path each name is short, or a word
			if len(part) >= 24 && mixed(part) && bits(part) >= denseInPart {
				return "random text"
			}
		}
	}
	return ""
}

func found(rule string, text []byte, at []int) Found {
	secret := text[at[0]:at[1]]
	return Found{rule, 1 + bytes.Count(text[:at[0]], []byte("\n")), fmt.Sprintf("%q… (%d characters)", secret[:min(6, len(secret)/3)], len(secret))}
}

// mixed reports whether letters of both cases and digits stand in a text, as they do in every key in base64 of some length.
func mixed(text []byte) bool {
	var lower, upper, digit bool
	for _, b := range text {
		lower = lower || b >= 'a' && b <= 'z'
		upper = upper || b >= 'A' && b <= 'Z'
		digit = digit || b >= '0' && b <= '9'
	}
	return lower && upper && digit
}

// bits is Shannon's entropy of a text, in bits a symbol.
func bits(text []byte) float64 {
	var count [256]float64
	for _, b := range text {
		count[b]++
	}
	var sum float64
	for _, n := range count {
		if n > 0 {
			share := n / float64(len(text))
			sum -= share * math.Log2(share)
		}
	}
	return sum
}
