package request

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const header = "From: Mia <mia@customer.example>\r\nSubject: forget me\r\n"

func TestParseMail(t *testing.T) {
	t.Parallel()
	nine := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		raw  string
		want Written
	}{
		"plain": {header + "Date: Mon, 02 Mar 2026 10:00:00 +0100\r\n\r\nPlease.\r\n", Written{"mia@customer.example", nine, "forget me", "Please.\r\n"}},
		"the last server's time counts, not the sender's": {"Received: from a by mx; Mon, 2 Mar 2026 10:00:00 +0100 (CET)\r\nReceived: from b by a; Sun, 1 Mar 2026 00:00:00 +0000\r\n" + header +
			"Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n\r\nx", Written{"mia@customer.example", nine, "forget me", "x"}},
		"a server that does not say when": {"Received: from a by mx\r\n" + header + "Date: Mon, 02 Mar 2026 10:00:00 +0100\r\n\r\nx", Written{"mia@customer.example", nine, "forget me", "x"}},
		"no date":                         {header + "\r\nx", Written{"mia@customer.example", time.Time{}, "forget me", "x"}},
		"encoded words":                   {"From: =?utf-8?q?M=C3=ADa?= <mia@customer.example>\r\nSubject: =?iso-8859-1?q?L=F6schen?=\r\n\r\nx", Written{"mia@customer.example", time.Time{}, "Löschen", "x"}},
		"quoted printable": {header + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nL=C3=B6=\r\nschen", Written{"mia@customer.example",
			time.Time{}, "forget me", "Löschen"}},
		"base64, latin": {header + "Content-Type: text/plain; charset=ISO-8859-1\r\nContent-Transfer-Encoding: base64\r\n\r\nTPZzY2hlbg==\r\n", Written{"mia@customer.example", time.Time{}, "forget me", "Löschen"}},
		"parts": {header + "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>no</p>\r\n--b\r\n" +
			"Content-Type: text/plain\r\n\r\nyes\r\n--b--\r\n--a--\r\n", Written{"mia@customer.example", time.Time{}, "forget me", "yes"}},
		"no plain part": {header + "Content-Type: text/html\r\n\r\n<p>no</p>", Written{"mia@customer.example", time.Time{}, "forget me", ""}},
		"cut":           {header + "\r\n" + strings.Repeat("é", MaxText), Written{"mia@customer.example", time.Time{}, "forget me", strings.Repeat("é", MaxText/2)}},
	} {
		got, err := ParseMail([]byte(c.raw))
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, raw := range map[string]string{
		"nothing": "", "no header": "hello", "no sender": "Subject: x\r\n\r\nx", "no address": "From: Mia\r\n\r\nx", "two senders": "From: a@b.example, c@d.example\r\n\r\nx",
		"too large": header + "\r\n" + strings.Repeat("x", MaxMail),
	} {
		if _, err := ParseMail([]byte(raw)); code(err) != "mail_invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A mail made to cost time or memory costs neither, and gives no more than its limits.
func TestHostileMail(t *testing.T) {
	t.Parallel()
	var deep strings.Builder
	deep.WriteString(header)
	for i := range 10_000 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	many := header + "Content-Type: multipart/mixed; boundary=a\r\n\r\n" + strings.Repeat("--a\r\nContent-Type: text/html\r\n\r\nx\r\n", 20_000)
	for name, raw := range map[string]string{
		"parts in parts": deep.String(), "many parts": many, "one header of a megabyte": "From: a@b.example\r\nSubject: " + strings.Repeat("=?utf-8?q?a?= ", 70_000) + "\r\n\r\nx",
		"many headers": "From: a@b.example\r\n" + strings.Repeat("Received: x; y\r\n", 60_000) + "\r\nx", "a part that never ends": header + "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\n" + strings.Repeat("x", 900_000),
		"no boundary": header + "Content-Type: multipart/mixed\r\n\r\nx", "half an escape": header + "Content-Transfer-Encoding: quoted-printable\r\n\r\na=", "no base64": header + "Content-Transfer-Encoding: base64\r\n\r\n!!!!",
		"nothing but zeroes": header + "\r\n" + strings.Repeat("\x00", 900_000), "a display name with a line": "From: \"a\r\n b\" <a@b.example>\r\n\r\nx",
	} {
		began := time.Now()
		got, err := ParseMail([]byte(raw))
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
		if err != nil && code(err) != "mail_invalid" || len(got.Text) > MaxText || len(got.Subject) > 500 || !utf8.ValidString(got.Text) || strings.ContainsAny(got.From, "\r\n") {
			t.Errorf("%s: %d bytes of text, %d of subject, %v", name, len(got.Text), len(got.Subject), err)
		}
	}
}

func FuzzParseMail(f *testing.F) {
	for _, seed := range []string{header + "\r\nx", header + "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nx\r\n--a--", "From: \xff <a@b.example>\nReceived: ;\n\n\xff", "From: a@b.example\nContent-Type: multipart/mixed; boundary=\"\"\n\n----"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := ParseMail(raw)
		if err != nil {
			return
		}
		if len(m.Text) > MaxText || !utf8.ValidString(m.Text) || !utf8.ValidString(m.Subject) || len(m.Subject) > 500 || m.From == "" {
			t.Errorf("%+v", m)
		}
	})
}
