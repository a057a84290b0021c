package request

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"ostiary.internal/shared/platform/fault"
)

// Written is a mail as somebody reads it.
type Written struct {
	From     string    // the sender's address
	Received time.Time // when our own server took it; zero where no server says so and the mail has no date
	Subject  string
	Text     string // the first part that is plain text, at most 64 KiB
}

// Limits of a mail, in bytes and in parts within parts.
const (
	MaxMail  = 1 << 20
	maxParts = 50
	maxNests = 5
)

// ParseMail reads a mail (RFC 5322) as it was saved. Of the times in it the one counts that the last server wrote, ours:
// the date is what the sender's own clock said, and stands in only where no server wrote one. Code: mail_invalid; the
// error holds nothing of the mail.
func ParseMail(raw []byte) (Written, error) {
	refused := func() (Written, error) {
		return Written{}, fault.Refuse(fault.Invalid, "mail_invalid", "This is no mail that can be read: no header, no sender, or larger than 1 MiB.", "Paste its text instead, with the time of its arrival.")
	}
	if len(raw) > MaxMail {
		return refused()
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return refused()
	}
	words := mime.WordDecoder{}
	from, err := (&mail.AddressParser{WordDecoder: &words}).Parse(m.Header.Get("From"))
	if err != nil {
		return refused()
	}
	w := Written{From: from.Address, Received: arrived(m.Header)}
	if w.Subject, err = words.DecodeHeader(m.Header.Get("Subject")); err != nil {
		w.Subject = m.Header.Get("Subject")
	}
	w.Subject = cut(strings.ToValidUTF8(w.Subject, "?"), 500)
	left := maxParts
	w.Text, _ = plainText(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, 0, &left)
	return w, nil
}

// arrived reads the topmost Received line: each server writes its own above those of the servers before it, of whose word we know
// nothing.
func arrived(h mail.Header) time.Time {
	line := h.Get("Received")
	if i := strings.LastIndexByte(line, ';'); i >= 0 {
		if t, err := mail.ParseDate(strings.TrimSpace(line[i+1:])); err == nil {
			return t.UTC()
		}
	}
	if t, err := h.Date(); err == nil {
		return t.UTC()
	}
	return time.Time{}
}

// plainText returns the first part of a body that is plain text.
func plainText(contentType, encoding string, body io.Reader, depth int, left *int) (string, bool) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") && depth < maxNests {
		for parts := multipart.NewReader(body, params["boundary"]); *left > 0; *left-- {
			part, err := parts.NextRawPart()
			if err != nil {
				return "", false
			}
			if text, found := plainText(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part, depth+1, left); found {
				return text, true
			}
		}
		return "", false
	}
	if kind != "text/plain" {
		return "", false
	}
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	data, _ := io.ReadAll(io.LimitReader(body, MaxText)) // what of it can be read
	text := string(data)
	if strings.EqualFold(params["charset"], "iso-8859-1") || strings.EqualFold(params["charset"], "windows-1252") && !utf8.ValidString(text) {
		runes := make([]rune, len(data))
		for i, b := range data {
			runes[i] = rune(b)
		}
		text = string(runes)
	}
	return cut(strings.ToValidUTF8(text, "?"), MaxText), true
}

// cut shortens a text to at most n bytes, between two characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
