package main

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	pquerna "github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
)

// rules are the defaults of access.yaml.
var rules = otp.Rules{
	Issuer: "Bench", MaxAuthenticators: 3, FreeFailures: 3, FirstWait: 30 * time.Second, MaxWait: time.Hour, HardStop: 50,
	MalformedPerMinute: 300, GrantLife: 10 * time.Minute, LinkLife: 10 * time.Minute,
}

// passwords compares the check of a code. "Three steps" is the same work on both sides: lay out the secret, compute the
// present step and its neighbours, compare. "The decision" is all that Ostiary decides by: spent codes, drift, waits.
func (b *bench) passwords(context.Context) error {
	now := time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)
	step := uint64(now.Unix() / otp.Period)
	for _, hash := range []struct {
		ours   otp.Algorithm
		theirs pquerna.Algorithm
		name   string
	}{{otp.SHA1, pquerna.AlgorithmSHA1, "SHA-1"}, {otp.SHA256, pquerna.AlgorithmSHA256, "SHA-256"}} {
		seed := make([]byte, hash.ours.Size())
		if _, err := rand.Read(seed); err != nil {
			return err
		}
		secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed)
		key := otp.NewKey(hash.ours, seed, 6)
		right, wrong := key.Value(step), unused(key, step)
		options := totp.ValidateOpts{Period: otp.Period, Skew: 1, Digits: pquerna.DigitsSix, Algorithm: hash.theirs}
		account, ring, err := b.unlocked(hash.ours, secret, now)
		if err != nil {
			return err
		}
		for _, given := range []struct {
			name, code string
			want       bool
		}{{"right", right, true}, {"wrong", wrong, false}} {
			theirs := func() bool {
				ok, err := totp.ValidateCustom(given.code, secret, now, options)
				return err == nil && ok
			}
			steps := func() bool {
				code, ok := otp.Parse(given.code, 6)
				_, found := otp.NewKey(hash.ours, seed, 6).Search(code, step-1, step+1)
				return ok && found
			}
			decision := func() bool {
				_, result, err := otp.Check(account, ring, given.code, now, rules)
				return err == nil && result.Granted()
			}
			name := fmt.Sprintf("%s, %s code: ", hash.name, given.name)
			for _, ours := range []struct {
				name  string
				check func() bool
			}{{"three steps", steps}, {"the decision", decision}} {
				err := b.compare(name+ours.name, holding(ours.check, given.want), holding(theirs, given.want), "pquerna/otp, `ValidateCustom`, skew 1")
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// holding calls a check and holds it to its answer.
func holding(check func() bool, want bool) func() error {
	return func() error {
		if check() != want {
			return errors.New("the code was judged wrongly")
		}
		return nil
	}
}

// unused returns a code that no step near the present has.
func unused(key *otp.Key, step uint64) string {
	for n := 0; ; n++ {
		code := fmt.Sprintf("%06d", n)
		if _, found := key.Search(code, step-100, step+100); !found {
			return code
		}
	}
}

// unlocked is an account with one authenticator, and its secret out of the envelope, as a request finds them.
func (b *bench) unlocked(algorithm otp.Algorithm, secret string, now time.Time) (otp.Account, *otp.Ring, error) {
	ctx, clk := context.Background(), clock.NewManual(now)
	var account otp.Account
	s, err := memory.New(store.Options{Schema: append(store.Schema{outbox.Collection()}, otp.Collection()...), Clock: clk})
	if err != nil {
		return account, nil, err
	}
	drop := func(context.Context, outbox.Entry) error { return nil }
	box := outbox.New(s, clk, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Message: drop, outbox.Record: drop})
	service, err := otp.New(otp.Config{Store: s, Box: box, Keys: local.New(filepath.Join(b.dir, "key"), nil), Rules: rules,
		Notify: func(*outbox.Batch, otp.Notice) error { return nil }})
	if err != nil {
		return account, nil, err
	}
	if _, err := service.Import(ctx, "somebody", otp.ImportRequest{Algorithm: algorithm, Digits: 6, Secret: secret}, otp.Meta{Request: "bench"}, now.Add(-time.Hour)); err != nil {
		return account, nil, err
	}
	ring, err := service.Unlock(ctx, "somebody")
	if err != nil {
		return account, nil, err
	}
	return account, ring, s.Get(ctx, otp.Accounts, "somebody", &account)
}
