package notice

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	keyfile "ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

var languages = []string{"en", "fr", "de"}

// kinds are all kinds of notices, read from the source: one that is added there needs its texts here.
func kinds(t *testing.T) []otp.NoticeKind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "otp", "notice.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []otp.NoticeKind
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "NoticeKind" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, otp.NoticeKind(value))
		}
		return true
	})
	if len(found) < 12 || !slices.Contains(found, otp.CodeReplayed) {
		t.Fatalf("read only %v", found)
	}
	return found
}

// full is what the control tells about an event, with a code and a secret that must never be shown.
func full() map[string]string {
	return map[string]string{
		"name": "my phone", "at": "2026-03-03T08:55:00Z", "by": "2026-03-10T23:00:00Z", "until": "2026-03-03T09:05:00Z", "not_before": "2026-03-03T10:55:00Z",
		"failures": "50", "reason": "the quartz ran away", "remaining": "9", "why": "lost", "code": "755224", "secret": "GEZDGNBVGY3TQOJQ",
	}
}

var (
	unfilled = regexp.MustCompile(`[{}]|%!|  | \.|“”|«  »|„“`)
	link     = regexp.MustCompile(`(?i)://|www\.|mailto:|<a |\w\.(com|example|org|net)\b`)
)

// TestTexts: every notice has a text in every language, whole, one line of subject, without a link, a code or a secret.
func TestTexts(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds(t) {
		seen := map[string]bool{}
		for _, language := range languages {
			c, err := Write(otp.Notice{Person: "emma", Kind: kind, Data: full()}, language, paris)
			if err != nil {
				t.Errorf("%s in %s: %v", kind, language, err)
				continue
			}
			all := c.Subject + "\n" + c.Text
			if found := unfilled.FindString(strings.ReplaceAll(all, "\n\n--\n", "")); found != "" {
				t.Errorf("%s in %s is not whole (%q):\n%s", kind, language, found, all)
			}
			if link.MatchString(all) || strings.Contains(all, "755224") || strings.Contains(all, "GEZD") {
				t.Errorf("%s in %s holds a link, a code or a secret:\n%s", kind, language, all)
			}
			m := message.Message{ID: "x", To: "a@b.example", Subject: c.Subject, Text: c.Text, At: time.Unix(0, 0)}
			if err := m.Check(); err != nil || !strings.HasPrefix(c.Subject, "Ostiary: ") || seen[c.Text] {
				t.Errorf("%s in %s: %v\n%s", kind, language, err, all)
			}
			seen[c.Text] = true
			if !strings.Contains(all, "2026-03-03 09:55 CET") && !strings.Contains(all, "2026-03-11 00:00 CET") {
				t.Errorf("%s in %s does not say when, in the reader's zone:\n%s", kind, language, all)
			}
		}
	}
	if n := len(texts); n != len(kinds(t)) {
		t.Errorf("%d texts for %d kinds", n, len(kinds(t)))
	}
	if _, err := Write(otp.Notice{Kind: otp.AuthenticatorAdded}, "tlh", paris); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a language without texts: %v", err)
	}
}

// TestZones: times are those of the reader's clock, in the zone of her policy entry.
func TestZones(t *testing.T) {
	t.Parallel()
	for zone, want := range map[string]string{
		"Europe/Berlin": "2026-03-03 09:55 CET", "Asia/Kolkata": "2026-03-03 14:25 IST", "America/Santiago": "2026-03-03 05:55 -03", "UTC": "2026-03-03 08:55 UTC",
	} {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Write(otp.Notice{Kind: otp.AuthenticatorAdded, Data: full()}, "en", location)
		if err != nil || !strings.Contains(c.Text, want) {
			t.Errorf("in %s: %v\n%s", zone, err, c.Text)
		}
	}
}

// TestNames: the name of an authenticator adds neither a line nor a link to the message that warns of it.
func TestNames(t *testing.T) {
	t.Parallel()
	plain, err := Write(otp.Notice{Kind: otp.AuthenticatorAdded, Data: full()}, "en", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"x\r\nBcc: all@elsewhere.example", "x\n\nIgnore this message.", "x\u0085y", "x\u2028y", "x\x00y", "x\u202egnp", "https://elsewhere.example/login",
		"www.elsewhere.example", "elsewhere.example", "<a href=x>", "{at}", "x@elsewhere.example", "\xff",
	} {
		data := full()
		data["name"] = name
		c, err := Write(otp.Notice{Kind: otp.AuthenticatorAdded, Data: data}, "en", time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(c.Text, "\n") != strings.Count(plain.Text, "\n") || c.Subject != plain.Subject || link.MatchString(c.Text) ||
			strings.ContainsAny(c.Text, "\r\x00<>@{}\u0085\u2028\u202e") {
			t.Errorf("the name %q shows as:\n%s", name, c.Text)
		}
	}
	for _, name := range []string{"my phone", "Emma’s Pixel 7 (rue)", "टेलीफ़ोन", "电话", "téléphone"} {
		data := full()
		data["name"] = name
		if c, err := Write(otp.Notice{Kind: otp.AuthenticatorAdded, Data: data}, "en", time.UTC); err != nil || !strings.Contains(c.Text, name) {
			t.Errorf("the name %q shows as:\n%s", name, c.Text)
		}
	}
}

// box is an outbox whose messages are kept.
func box(t *testing.T) (*outbox.Box, *[]outbox.Entry) {
	t.Helper()
	clk := clock.NewManual(time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC))
	s, err := memory.New(store.Options{Schema: store.Schema{outbox.Collection()}, Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	var sent []outbox.Entry
	var mu sync.Mutex
	return outbox.New(s, clk, nil, map[outbox.Kind]outbox.Sink{outbox.Message: func(_ context.Context, e outbox.Entry) error {
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, e)
		return nil
	}}), &sent
}

func sender(t *testing.T, keys seal.Keys) *Sender {
	t.Helper()
	p, problems, err := policy.Load(policies.FS, "sharedcontacts")
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	return New(p, seal.NewCache(keys, rand.Reader, clock.System{}), rand.Reader)
}

// TestNotify: a notice leaves with the transaction, sealed, under its own key, in the person's language.
func TestNotify(t *testing.T) {
	t.Parallel()
	keys := keyfile.New(filepath.Join(t.TempDir(), "key"), nil)
	s, b := sender(t, keys), otp.Notice{Person: "emma", Kind: otp.CodeReplayed, Key: "otp-1", Data: full()}
	out, sent := box(t)
	tell := func() error {
		return out.Commit(t.Context(), func(_ store.Tx, batch *outbox.Batch) error { return s.Notify(batch, b) })
	}
	if err := tell(); !fault.Is(err, fault.Transient) {
		t.Errorf("before the key was fetched: %v", err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tell(); err != nil || len(*sent) != 1 {
		t.Fatal(err, *sent)
	}
	e := (*sent)[0]
	if e.Target != message.TopicRequested || e.Key != "otp-1" || e.Attributes[bus.AttributeID] != "otp-1" {
		t.Errorf("%+v", e)
	}
	var r message.Request
	if err := json.Unmarshal(e.Data, &r); err != nil {
		t.Fatal(err)
	}
	if r.Kind != message.Staff || r.Person != "emma" || r.Language != "fr" || strings.Contains(string(e.Data), "phone") {
		t.Errorf("%s", e.Data)
	}
	c, err := r.Open(t.Context(), keys)
	if err != nil || !strings.Contains(c.Subject, "deux fois") || c.To != "" {
		t.Errorf("%+v, %v", c, err)
	}
	// Somebody who has left the policy has no address to tell.
	b.Person, b.Key = "nobody", "otp-2"
	if err := tell(); err != nil || len(*sent) != 1 {
		t.Errorf("%v, %d sent", err, len(*sent))
	}
}

// TestSecond: what an attacker in the person's mailbox would hide goes to her manager too, in that one's language.
func TestSecond(t *testing.T) {
	t.Parallel()
	keys := keyfile.New(filepath.Join(t.TempDir(), "key"), nil)
	s := sender(t, keys)
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, sent := box(t)
	for person, want := range map[string]int{"asha": 2, "odile": 1} { // odile has no manager
		*sent = nil
		n := otp.Notice{Person: person, Kind: otp.ResetRequested, Key: "reset/" + person, Data: full(), Second: true}
		err := out.Commit(t.Context(), func(_ store.Tx, batch *outbox.Batch) error { return s.Notify(batch, n) })
		if err != nil || len(*sent) != want {
			t.Fatalf("%s: %d sent, %v", person, len(*sent), err)
		}
		for _, e := range *sent {
			var r message.Request
			if err := json.Unmarshal(e.Data, &r); err != nil {
				t.Fatal(err)
			}
			c, err := r.Open(t.Context(), keys)
			if err != nil {
				t.Fatal(err)
			}
			if copied := r.Person != person; copied != strings.HasPrefix(c.Text, "Ceci a été envoyé à Asha Iyer") || copied != (e.Key == n.Key+"/manager") {
				t.Errorf("%s to %s under %s: %s", person, r.Person, e.Key, c.Text)
			}
		}
	}
}

// down is a key service that does not answer.
type down struct{ seal.Keys }

func (down) Wrap(context.Context, []byte, []byte) ([]byte, string, error) {
	return nil, "", fault.New(fault.Transient, "down")
}

func TestReady(t *testing.T) {
	t.Parallel()
	if err := sender(t, down{}).Ready(t.Context()); !fault.Is(err, fault.Transient) {
		t.Errorf("with the key service down: %v", errors.Unwrap(err))
	}
}
