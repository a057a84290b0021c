package cases

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

const (
	codeLength = 8  // letters and digits of base32: 40 bits
	maxWrong   = 10 // codes somebody may try after one call
)

// codeDigest is how a code of a call is kept. It stands for nothing but that a message was read: whoever types it has
// signed in, and is on the ladder.
func codeDigest(c Case, code string) string {
	code = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -.", r) {
			return -1
		}
		return r
	}, strings.ToLower(code))
	sum := sha256.Sum256([]byte("ostiary call\x00" + c.Nonce + "\x00" + code))
	return hex.EncodeToString(sum[:])
}

// renew makes the code of the calls an event may bring, where any of them goes out as a text message.
func (t *turn) renew() (err error) {
	if t.s.OutOfBand == nil && !slices.ContainsFunc(t.s.Rules.Ladder, func(s Step) bool { return slices.Contains(s.Channels, sms) }) {
		return nil
	}
	if t.code, err = t.s.name(codeLength); err == nil {
		t.event.Fresh = codeDigest(t.before, t.code)
	}
	return err
}

// coded finds the step of whoever typed the code of the last call. A wrong one is counted, and after some no code helps
// until the next call.
func (d *deciding) coded() (typed bool, err error) {
	l := &d.Ladder
	mine := slices.IndexFunc(d.rules.Ladder, func(s Step) bool { return slices.Contains(l.Paged, s.ID) && d.e.By.Has(s.Roles...) })
	switch {
	case d.e.Code == "" || !l.Acked.IsZero():
		return true, nil
	case mine < 0:
		return false, fault.Refuse(fault.Denied, "not_allowed", "Only somebody who was called answers by a code.", "Answer for a step of yours.")
	case l.Code == "" || l.Wrong >= maxWrong:
		return false, badCode()
	case subtle.ConstantTimeCompare([]byte(l.Code), []byte(d.e.Code)) != 1:
		l.Wrong++
		d.effects = append(d.effects, Effect{Do: DoRefuse})
		return false, nil
	}
	l.Code, d.e.Step = "", d.rules.Ladder[mine].ID
	return true, nil
}

func badCode() error {
	return refuse("code_invalid", "That is not the code of the last call, or it was used.", "Look at the last text message, or answer without a code.")
}
