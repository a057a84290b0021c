package request

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"io"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// secretBytes of a link and of the secret that shows a request's state: 256 bits.
const secretBytes = 32

// numberBytes of what people say of a request.
const numberBytes = 7

// LeastKey is how long Config.Mark is at least, in bytes.
const LeastKey = 32

var coder = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding) // without l and o

// random returns n random bytes as text.
func (s *Service) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.Random, b); err != nil {
		return "", fault.New(fault.Transient, "drawing a request's secrets: %w", err)
	}
	return coder.EncodeToString(b), nil
}

// spoken writes a text in groups of four, as people read and type it.
func spoken(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// typed reads what a person typed: case, spaces and hyphens are hers.
func typed(s string) string {
	if len(s) > 200 {
		return ""
	}
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\t' {
			return -1
		}
		return r
	}, s))
}

// hashed is how a secret is kept. It has 256 random bits: a plain hash is enough.
func hashed(secret string) string {
	sum := sha256.Sum256([]byte("ostiary request secret\x00" + secret))
	return hex.EncodeToString(sum[:])
}

// holds reports whether a secret is the one that was hashed; never for no hash.
func holds(hash, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(hash), []byte(hashed(secret))) == 1 && hash != ""
}

// mark stands for something personal where two have to be found equal. Without the key it says nothing.
func (s *Service) mark(parts ...string) string { return markBy(s.Mark, parts...) }

// anyMark is mark by each of the keys, the newest in front: what is looked for may have been marked before the key changed.
func (s *Service) anyMark(parts ...string) []string {
	all := []string{s.mark(parts...)}
	for _, key := range s.Former {
		all = append(all, markBy(key, parts...))
	}
	return all
}

func markBy(key []byte, parts ...string) string {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// marks stand for the verified identifiers of a request. Who asks for herself and who asks for others have marks of their
// own: the one may take back what she asked for without taking it from the other. A controller's instructions have none: each
// of them stands for itself, as it is answered, and taken back, by its own id.
func (s *Service) marks(r Request, all []Identifier) []string { return marksBy(s.Mark, r, all) }

// formerMarks are marks as they were made by the keys before.
func (s *Service) formerMarks(r Request, all []Identifier) (marks []string) {
	for _, key := range s.Former {
		marks = append(marks, marksBy(key, r, all)...)
	}
	return marks
}

func marksBy(key []byte, r Request, all []Identifier) (marks []string) {
	if r.Requester == Controller {
		return nil
	}
	who := r.Requester
	if who == Agent {
		who = Subject
	}
	for _, one := range all {
		marks = append(marks, markBy(key, string(r.Kind), string(who), r.Tenant, one.Kind, one.Value))
	}
	return marks
}
