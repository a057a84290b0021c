package main_test

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// guesser is somebody who has the log and the list of a company's people, knows how the house names things, and tries
// every person with every word that stands in the log.
type guesser struct {
	people []string
	words  []string
	shown  map[string]bool  // every hash that stands in the log, in hexadecimal or base32
	begun  map[[8]byte]bool // what each of them begins with: nearly every try ends there
}

// hashes and words of a record: what may be a hash, and what may be a part of what was hashed.
var (
	hexForm    = regexp.MustCompile(`[0-9a-f]{16,64}`)
	base32Form = regexp.MustCompile(`[a-z2-7]{24,52}`)
	spokenForm = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9._/+:#-]{2,63}`)
)

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func newGuesser(people []string, leaves [][]byte) *guesser {
	g := &guesser{people: people, shown: map[string]bool{}, begun: map[[8]byte]bool{}}
	words := map[string]bool{"report/2026-02": true, "report/2026-03": true, "": true, "1": true}
	for _, leaf := range leaves {
		for _, found := range hexForm.FindAllString(string(leaf), -1) {
			first, _ := hex.DecodeString(found[:16])
			g.shown[found], g.begun[[8]byte(first)] = true, true
		}
		for _, found := range base32Form.FindAllString(string(leaf), -1) {
			first, _ := lowerBase32.DecodeString(found[:16])
			g.shown[found], g.begun[[8]byte(first)] = true, true
		}
		for _, word := range spokenForm.FindAllString(string(leaf), -1) {
			words[strings.TrimPrefix(word, "sha256:")] = true
		}
		// Times stand in the log in milliseconds, and are hashed in many ways.
		var r struct {
			Source struct{ Observed, Collected time.Time }
		}
		if json.Unmarshal(leaf, &r) == nil {
			for _, at := range []time.Time{r.Source.Observed, r.Source.Collected} {
				words[fmt.Sprint(at.Unix())], words[fmt.Sprint(at.UnixMilli())], words[fmt.Sprint(at.UnixMicro())] = true, true, true
				words[at.UTC().Format(time.RFC3339)], words[at.UTC().Format(time.RFC3339Nano)] = true, true
				words[fmt.Sprint(at.Unix()/30)] = true
			}
		}
	}
	for word := range words {
		g.words = append(g.words, word)
	}
	slices.Sort(g.words)
	return g
}

// kindsOfMessages are what messages are about; their keys begin with it, or hash it.
var kindsOfMessages = []string{"authenticator-added", "authenticator-removed", "code-replayed", "account-locked", "recovery-used", "recovery-renewed", "enrol-link-issued",
	"reset-requested", "reset-approved", "reset-refused", "drift-corrected", "rollover-due", "duty-reminder", "duty-overdue", "duty-asked", "duty-review", "statement-expires",
	"waiver-asked", "watch-asked", "watch-alarm", "watch-worse", "watch-reminder", "watch-review", "watch-review-overdue", "watch-suspicion", "watch-exception-asked", "watch-report"}

// keys are the keys of messages to a person, about a word.
func keys(person, word string) []string {
	var all []string
	joined := sha256.Sum256([]byte(word + "\x00" + person))
	for _, kind := range kindsOfMessages {
		sum := sha256.Sum256([]byte(kind + "\x00" + person + "\x00" + word))
		key := "otp-" + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:15])
		all = append(all, key, key+"/manager", kind+"/"+hex.EncodeToString(joined[:]))
	}
	return all
}

// attempts are the ways to name the first attempt at the message of a key that anybody can work out.
func attempts(key string) []string {
	sum := sha256.Sum256([]byte("ostiary message\x00" + key)) // how the store of deliveries names it
	delivery := hex.EncodeToString(sum[:])
	return []string{key, key + "#1 accepted", key + "#1 planned", delivery, delivery + "/1/accepted", delivery + "/1/planned"}
}

// said are the texts that may have been hashed for a person and a word.
func said(person, word string) []string {
	all := []string{person}
	for _, between := range []string{"", "/", "#", " ", ":", "\x00", "."} {
		all = append(all, person+between+word, word+between+person)
	}
	return all
}

// hit reports whether the hash of a text stands in the log.
func (g *guesser) hit(text string) bool {
	sum := sha256.Sum256([]byte(text))
	if !g.begun[[8]byte(sum[:8])] {
		return false
	}
	hexed, coded := hex.EncodeToString(sum[:]), lowerBase32.EncodeToString(sum[:])
	return g.shown[hexed] || g.shown[hexed[:32]] || g.shown[hexed[:16]] || g.shown[coded] || g.shown[coded[:24]] || g.shown[coded[:32]]
}

// tries returns, for every person that is found behind a record, one text whose hash gives her away.
func (g *guesser) tries() (found []string) {
	for _, person := range g.people {
		for _, word := range g.words {
			texts := said(person, word)
			if !strings.Contains(person, "@") { // messages are to an id
				for _, key := range keys(person, word) {
					texts = append(texts, attempts(key)...)
				}
			}
			if i := slices.IndexFunc(texts, g.hit); i >= 0 {
				found = append(found, fmt.Sprintf("%s: %q", person, texts[i]))
				break
			}
		}
	}
	return found
}

// guess lets somebody try who has nothing but the log, the names of the people, and the source of this program. That the
// tries find what is there is shown by a record as it must not be.
func (l *life) guess(leaves [][]byte) {
	l.Helper()
	var people []string
	for _, p := range l.planted {
		if p.what == "id of a person or tenant" || p.what == "e-mail address" {
			people = append(people, p.text)
		}
	}
	if len(people) < 10 || len(leaves) < 100 {
		l.Fatalf("%d people and %d records: the tries show little", len(people), len(leaves))
	}
	for _, found := range newGuesser(people, leaves).tries() {
		l.Errorf("the log tells who is behind a record, of %s", found)
	}
	ids := slices.DeleteFunc(people, func(who string) bool { return strings.Contains(who, "@") }) // messages are to these
	key := keys(ids[1], "word-in-the-log")[3]
	sum := sha256.Sum256([]byte(key + "#1 accepted"))
	bad := fmt.Appendf(nil, `{"facts":{"word":"word-in-the-log"},"source":{"event":"sha256:%x"}}`, sum)
	if found := newGuesser(ids[:3], [][]byte{bad}).tries(); len(found) != 1 {
		l.Errorf("the tries find %q in a record that gives somebody away", found)
	}
}
