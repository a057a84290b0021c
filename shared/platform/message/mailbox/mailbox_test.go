package mailbox

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/messagetest"
)

func opened(t *testing.T) *Mailbox {
	t.Helper()
	m, err := Open(filepath.Join(t.TempDir(), "ostiary.db"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSuite(t *testing.T) {
	t.Parallel()
	messagetest.Run(t, func(t *testing.T) messagetest.Peer {
		m := opened(t)
		return messagetest.Peer{Channel: m, Received: func(t *testing.T) []messagetest.Received {
			entries, err := m.List()
			if err != nil {
				t.Fatal(err)
			}
			var got []messagetest.Received
			for _, e := range entries {
				got = append(got, messagetest.Received{ID: e.ID, To: e.To, Subject: e.Subject, Text: e.Text})
			}
			return got
		}}
	})
}

func TestListing(t *testing.T) {
	t.Parallel()
	m := opened(t)
	defer m.Close()
	if entries, err := m.List(); err != nil || entries == nil || len(entries) != 0 {
		t.Errorf("an empty mailbox: %v, %v", entries, err)
	}
	msg := messagetest.Message("first")
	msg.Text = "Open https://trust.example/enrol#secret.\n\n  123456  \n"
	if outcome, err := m.Send(t.Context(), msg); outcome != message.Accepted {
		t.Fatal(err)
	}
	if outcome, err := m.Send(t.Context(), messagetest.Message("second")); outcome != message.Accepted {
		t.Fatal(err)
	}
	entries, err := m.List()
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(entries)
	want := `[{"id":"first","to":"ana@customer.example","subject":"Your address is registered","text":"Open https://trust.example/enrol#secret.\n\n  123456  \n",` +
		`"links":["https://trust.example/enrol#secret"],"codes":["123456"],"at":"2026-03-02T09:30:00Z","channel":"mail"},` +
		`{"id":"second","to":"ana@customer.example","subject":"Your address is registered","text":"Hello Ana,\n\nyour address is registered until midnight.\n",` +
		`"links":[],"codes":[],"at":"2026-03-02T09:30:00Z","channel":"mail"}]`
	if string(got) != want {
		t.Errorf("listed\n%s\nwant\n%s", got, want)
	}
}

// TestLost: what becomes of a letter to the domain that loses them is not known, and no other domain's is lost.
func TestLost(t *testing.T) {
	t.Parallel()
	m := opened(t)
	defer m.Close()
	for to, want := range map[string]message.Outcome{"ana@lost.invalid": message.Unknown, "ana@not-lost.invalid": message.Accepted, "lost.invalid@customer.example": message.Accepted} {
		msg := messagetest.Message("m")
		msg.To = to
		if outcome, err := m.Send(t.Context(), msg); outcome != want || (err == nil) != (want == message.Accepted) {
			t.Errorf("%s: %s, %v", to, outcome, err)
		}
	}
	if entries, err := m.List(); err != nil || len(entries) != 2 {
		t.Errorf("%d letters, %v", len(entries), err)
	}
}

func TestSurvivesReopening(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ostiary.db")
	for want := 1; want <= 2; want++ {
		m, err := message.Drivers.Open(t.Context(), driver.URL("mailbox", path), message.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if outcome, err := m.Send(t.Context(), messagetest.Message("again")); outcome != message.Accepted {
			t.Fatal(err)
		}
		if entries, err := m.(*Mailbox).List(); err != nil || len(entries) != want {
			t.Errorf("%d messages, want %d (%v)", len(entries), want, err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDriverRefuses(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"mailbox:", "mailbox://host/file", "mailbox:file?tree=x"} {
		if _, err := message.Drivers.Open(t.Context(), raw, message.Options{}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v, want misconfigured", raw, err)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"no link":                                {},
		"https://a.example/x?y=1&z=2#frag":       {"https://a.example/x?y=1&z=2#frag"},
		"See http://localhost:8080/_local/mail.": {"http://localhost:8080/_local/mail"},
		"<https://a.example/>, (https://b.example/p), \"https://c.example\"!": {"https://a.example/", "https://b.example/p", "https://c.example"},
		"https://a.example/wiki/X_(Y)":                                        {"https://a.example/wiki/X_(Y)"},
		"ftp://a.example mailto:x@y.example":                                  {},
		"https://a.example/1\nhttps://a.example/1":                            {"https://a.example/1", "https://a.example/1"},
	} {
		if got := links(text); !slices.Equal(got, want) {
			t.Errorf("links(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"123456":                      true,
		"  12345678\t":                true,
		"123 456":                     true,
		"1234 5678 9012":              true,
		"ABCD-EFGH-IJKL-MNOP":         true,
		"AB2D-E3GH":                   true,
		"abcd-efgh-ijkl-mnop":         true,
		"k7fd-93mq":                   true,
		"JBSWY3DPEHPK3PXP":            true,
		"jbswy3dpehpk3pxp":            true,
		"12345":                       false,
		"2026-11-22":                  false,
		"2026":                        false,
		"09:30":                       false,
		"Hello":                       false,
		"IMPORTANT":                   false,
		"well-done":                   false,
		"state-of-the-art":            false,
		"Code: 123456":                false,
		"your code is 123456 today":   false,
		"https://a.example/123456":    false,
		"Ab2d-E3gh":                   false,
		"":                            false,
		"+49 30 123456":               false,
		"81.2.69.142":                 false,
		"Best regards":                false,
		"12 34 56 78":                 false,
		"ABCDEFGH":                    false,
		"registered until 2026-11-22": false,
	} {
		if got := len(codes("Hello\n"+line+"\nBye\n")) == 1; got != want {
			t.Errorf("%q: code %v, want %v", line, got, want)
		}
	}
}
