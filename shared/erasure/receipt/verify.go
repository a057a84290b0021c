package receipt

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
)

// Report is what Verify found. The zero values stand for what could not be read.
type Report struct {
	V       int            `json:"v"`
	Outcome verify.Outcome `json:"outcome"` // good, tampered, untrusted or malformed
	Exit    int            `json:"exit"`    // 0, 1, 3 or 4: that of the outcome
	Digest  string         `json:"digest,omitempty"`
	Request string         `json:"request,omitempty"`
	State   State          `json:"state,omitempty"`
	Seq     int64          `json:"seq,omitempty"`
	Issued  time.Time      `json:"issued,omitzero"`
	Keys    []string       `json:"keys"`          // verifier keys that signed and count
	Why     string         `json:"why,omitempty"` // in English; no value out of the receipt
}

// Verify checks a signed receipt offline, by a trust file that came another way. Good is a receipt in its one form, whose
// state its own searches prove, with a good signature of a key that counts for the time it was issued. A signature of such
// a key that is not good is tampering, whatever others say; those of other keys mean nothing. In a trust file of receipts
// From and To are seconds since 1970: a key counts for receipts issued between them. Whoever steals a key that has ended
// can date a receipt back; the evidence log, which holds the digest of each receipt, shows that.
func Verify(signed []byte, trust sign.Trust) Report {
	report := Report{V: 1, Keys: []string{}}
	end := func(o verify.Outcome, why string) Report {
		report.Outcome, report.Exit, report.Why = o, o.Exit(), why
		return report
	}
	s, err := parse(signed)
	if err != nil {
		return end(verify.Malformed, err.Error())
	}
	if len(s.Signatures) > maxSignatures {
		return end(verify.Malformed, fmt.Sprintf("the receipt has more than %d signatures", maxSignatures))
	}
	canonical, err := encode(s.Receipt)
	if err != nil {
		return end(verify.Malformed, err.Error())
	}
	report.Digest, report.Request, report.State = digest(canonical), s.Receipt.Request, s.Receipt.State
	report.Seq, report.Issued = s.Receipt.Seq, s.Receipt.Issued
	for i, one := range s.Signatures {
		if slices.ContainsFunc(s.Signatures[:i], one.sameKey) {
			return end(verify.Malformed, "a key has signed twice")
		}
		for _, key := range trust.Keys {
			switch {
			case !one.claims(key.Key):
			case !good(key.Key, statement(canonical), one.Signature):
				report.Keys = []string{}
				return end(verify.Tampered, "a signature of a trusted key is not good: the receipt is not what was signed")
			case counts(key, s.Receipt.Issued):
				report.Keys = append(report.Keys, key.Key)
			}
		}
	}
	if err := s.Receipt.check(); err != nil {
		return end(verify.Malformed, err.Error())
	}
	if len(report.Keys) == 0 {
		return end(verify.Untrusted, "no key that the trust file names for this time has signed")
	}
	return end(verify.Good, "")
}

// claims reports whether a signature says that it is of a key.
func (s signature) claims(verifier string) bool {
	hash, err := sign.KeyHash(verifier)
	name, _, _ := strings.Cut(verifier, "+")
	return err == nil && s.Name == name && s.Key == hash
}

// counts reports whether a key counts for what was issued at a time.
func counts(key sign.TrustedKey, at time.Time) bool {
	return at.Unix() >= key.From && (key.To == 0 || at.Unix() <= key.To)
}
