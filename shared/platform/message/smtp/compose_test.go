package smtp

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/messagetest"
)

func TestComposeIsDeterministic(t *testing.T) {
	t.Parallel()
	c := channel(t, "127.0.0.1:25", Plain, nil, nil)
	m := messagetest.Message("0123abcd")
	m.At = time.Date(2026, 3, 2, 10, 30, 0, 0, time.FixedZone("", 3600))
	m.Text = "Grüße\nAna"
	_, got, err := c.compose(m)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`From: =?utf-8?q?Ostiary_bei_M=C3=BCller?= <ostiary@company.example>
To: <ana@customer.example>
Subject: Your address is registered
Date: Mon, 02 Mar 2026 09:30:00 +0000
Message-ID: <0123abcd@company.example>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe
Ana`, "\n", "\r\n")
	if string(got) != want {
		t.Errorf("composed\n%s\nwant\n%s", got, want)
	}
	if _, again, _ := c.compose(m); !bytes.Equal(got, again) {
		t.Error("the same message composed twice differs")
	}
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"ana@customer.example":                        true,
		"ana+tag@sub.customer.example":                true,
		`"ana b"@customer.example`:                    true,
		`"a>b"@customer.example`:                      true,
		"Ana <ana@customer.example>":                  false,
		"<ana@customer.example>":                      false,
		"ana@customer.example, eve@evil.example":      false,
		"ana@customer.example (Ana)":                  false,
		"ana b@customer.example":                      false,
		"ana@customer.example> SIZE=1":                false,
		"ana":                                         false,
		"@customer.example":                           false,
		"ana@":                                        false,
		"":                                            false,
		"zoé@customer.example":                        false,
		"ana@müller.example":                          false,
		"ana@customer.example\r\nRCPT TO:<eve@e.e>":   false,
		strings.Repeat("a", 64) + "@customer.example": true,
		strings.Repeat("a", 65) + "@customer.example": false,
		"ana@" + strings.Repeat("a", 247) + ".eu":     true,
		"ana@" + strings.Repeat("a", 248) + ".eu":     false,
		"ana@customer.example\x00":                    false,
	} {
		got, err := recipient(address)
		if ok != (err == nil) || ok && got != address || !ok && !fault.Is(err, fault.Invalid) {
			t.Errorf("recipient(%q) = %q, %v", address, got, err)
		}
		if err != nil && address != "" && len(address) > 3 && strings.Contains(err.Error(), address) {
			t.Errorf("the error quotes the address: %v", err)
		}
	}
}

// Whatever a message holds, it is refused, or arrives as written and as nothing more.
func FuzzCompose(f *testing.F) {
	f.Add("ana@customer.example", "Hello", "Text\n")
	f.Add("ana@customer.example", "Hi\r\nBcc: eve@evil.example", "Text\n")
	f.Add("ana@customer.example", "=?utf-8?b?SGk=?= =?utf-8?q?x?=", "=3D\n.\n..\n")
	f.Add("ana@customer.example", strings.Repeat("é", 100), "\r\n.\r\nMAIL FROM:<eve@evil.example>\n")
	f.Add(`"a b"@customer.example`, " spaces ", "lone\rreturn\n")
	f.Add("0@0", "", "\r\a\n0")
	c, err := New(Config{Address: "127.0.0.1:25", From: sender, Security: Plain})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, to, subject, text string) {
		m := message.Message{ID: "id", Channel: message.Mail, To: to, Subject: subject, Text: text, At: messagetest.At}
		_, content, err := c.compose(m)
		if err != nil {
			return
		}
		got, err := readMail(append(content, "\r\n"...))
		if err != nil {
			t.Fatalf("%v\n%q", err, content)
		}
		head, _, _ := bytes.Cut(content, []byte("\r\n\r\n"))
		fields := 0
		for line := range bytes.Lines(head) {
			if line[0] != ' ' {
				fields++
			}
		}
		plain := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text) + "\n"
		if fields != 9 || got.Subject != subject || got.Text != plain {
			t.Errorf("%d fields, subject %q, text %q", fields, got.Subject, got.Text)
		}
	})
}
