package smtp

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// compose writes a message in the form of RFC 5322, the same bytes for the same message, and returns its recipient
// as a command takes it. Invalid when the message could not arrive as it was written.
func (c *Channel) compose(m message.Message) (to string, content []byte, err error) {
	if err := m.Check(); err != nil {
		return "", nil, err
	}
	if to, err = recipient(m.To); err != nil {
		return "", nil, err
	}
	var b bytes.Buffer
	for _, field := range [][2]string{
		{"From", c.From.String()},
		{"To", "<" + to + ">"},
		{"Subject", encodeSubject(m.Subject)},
		{"Date", m.At.UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + m.ID + "@" + c.domain + ">"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834 section 5: no holiday reply, please
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", field[0], field[1])
	}
	b.WriteString("\r\n")
	text := quotedprintable.NewWriter(&b) // turns \n into CRLF, but loses line ends after a lone \r
	_, err = lineEnds.WriteString(text, m.Text)
	if err == nil {
		err = text.Close()
	}
	if err != nil {
		return "", nil, fault.New(fault.Invalid, "encoding a message: %w", err)
	}
	return to, b.Bytes(), nil
}

// recipient accepts a bare address (RFC 5321 section 4.1.2) and returns it, quoted where it must be. Addresses beyond
// ASCII need SMTPUTF8 (RFC 6531) all the way, which nobody can promise: they are refused rather than lost.
func recipient(address string) (string, error) {
	// RFC 5321 sections 4.5.3.1.1 and 4.5.3.1.3.
	if len(address) > 254 || strings.LastIndexByte(address, '@') > 64 {
		return "", fault.New(fault.Invalid, "reading a mail address: it is too long")
	}
	for i := range len(address) {
		if address[i] <= ' ' && address[i] != ' ' || address[i] >= utf8.RuneSelf || address[i] == 0x7f {
			return "", fault.New(fault.Invalid, "reading a mail address: it is not plain ASCII")
		}
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil { // the parser's error quotes the address
		return "", fault.New(fault.Invalid, "reading a mail address: malformed")
	}
	bare := (&mail.Address{Address: parsed.Address}).String()
	bare = strings.TrimSuffix(strings.TrimPrefix(bare, "<"), ">")
	if bare != address {
		return "", fault.New(fault.Invalid, "reading a mail address: want the address alone, as LOCAL@DOMAIN")
	}
	return bare, nil
}

// Of one encoded word (RFC 2047 section 2: at most 75 characters) 12 frame the text; 42 bytes become 56 of base64,
// and with "Subject: " the first line still keeps to 78.
const wordBytes = 42

// encodeSubject returns s as it may stand in a header: itself where it is short, plain and cannot be mistaken for an
// encoded word, otherwise as encoded words, one a line.
func encodeSubject(s string) string {
	if len(s) <= 60 && !strings.Contains(s, "=?") && strings.Trim(s, " ") == s && printable(s) {
		return s
	}
	var words []string
	for s != "" {
		end := min(wordBytes, len(s))
		for end < len(s) && !utf8.RuneStart(s[end]) {
			end-- // a character is never cut in two (RFC 2047 section 5)
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(s[:end]))+"?=")
		s = s[end:]
	}
	return strings.Join(words, "\r\n ")
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
