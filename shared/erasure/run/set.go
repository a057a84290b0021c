package run

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"ostiary.internal/shared/erasure"
)

// review counts an item that a person has to look at, and which it is. A person's answer is for the items she saw: when one is
// gone and another was written, there are as many, and another set.
func (w *walk) review(s *step, item erasure.Item, c *Count) {
	c.Review++
	if len(w.known.Mark) == 0 {
		return
	}
	mac := hmac.New(sha256.New, w.known.Mark)
	mac.Write([]byte(s.Entry.ID + "\x00" + item.Ref))
	c.Set = sum(c.Set, hex.EncodeToString(mac.Sum(nil)))
}

// sum adds two numbers of 256 bits, in hexadecimal digits, whose carry is lost: in whatever order and pages items are found, their
// sum is the same. "" is nothing.
func sum(a, b string) string {
	x, badX := hex.DecodeString(a)
	y, badY := hex.DecodeString(b)
	if a == "" || badX != nil || len(x) != len(y) {
		return b
	}
	if b == "" || badY != nil {
		return a
	}
	carry := 0
	for i := len(x) - 1; i >= 0; i-- {
		carry += int(x[i]) + int(y[i])
		x[i] = byte(carry)
		carry >>= 8
	}
	return hex.EncodeToString(x)
}
