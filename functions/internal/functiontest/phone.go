package functiontest

import (
	"context"
	"encoding/base32"
	"strconv"
	"testing"
	"time"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Phone is a person's authenticator, with the secret that nobody but the phone has.
type Phone struct {
	Person policy.Person
	ID     string
	key    *otp.Key
}

// Secret is the secret of RFC 4226's test vectors in base32: what every phone of a test has.
const Secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// Phone binds an authenticator to a person, by the rights of nobody that is deployed. A function of the access control
// must run.
func (w *World) Phone(t testing.TB, email string) Phone {
	t.Helper()
	return w.bind(t, email, otp.TOTP)
}

// Token binds an authenticator that counts instead of telling the time.
func (w *World) Token(t testing.TB, email string) Phone {
	t.Helper()
	return w.bind(t, email, otp.HOTP)
}

func (w *World) bind(t testing.TB, email string, kind otp.Kind) Phone {
	t.Helper()
	person, known := w.Policy.Person(email)
	if !known {
		t.Fatalf("%s is not in the sample company", email)
	}
	service := w.OTP(t)
	id, err := service.Import(t.Context(), person.ID, otp.ImportRequest{Name: "phone", Kind: kind, Secret: Secret}, otp.Meta{Request: "setup", Actor: "setup"}, w.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return Phone{Person: person, ID: id, key: NewKey(Secret)}
}

// NewKey returns what computes the six-digit SHA-1 codes of a base32 secret.
func NewKey(secret string) *otp.Key {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		panic("functiontest: " + err.Error())
	}
	return otp.NewKey(otp.SHA1, raw, otp.MinDigits)
}

// OTP is the control's service with every right, for what a test sets up. It gives no notices.
func (w *World) OTP(t testing.TB) *otp.Service {
	t.Helper()
	drop := func(context.Context, outbox.Entry) error { return nil }
	box := outbox.New(w.Raw("access"), w.Clock, w.functions[0].deps.Log, map[outbox.Kind]outbox.Sink{outbox.Record: drop, outbox.Message: drop})
	service, err := otp.New(otp.Config{
		Store: w.Raw("access"), Box: box, Keys: w.keys["otp"], Rules: otp.DefaultRules(), Notify: func(*outbox.Batch, otp.Notice) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// Raw is a control's database without any switch in front.
func (w *World) Raw(control string) store.Store {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stores[control]
}

// Code is what the phone shows at an instant.
func (p Phone) Code(at time.Time) string { return p.key.Value(uint64(at.Unix() / otp.Period)) }

// Count is the code of a counter.
func (p Phone) Count(counter uint64) string { return p.key.Value(counter) }

// Wrong is a code of the right form that no step near an instant, and no low counter, has.
func (p Phone) Wrong(at time.Time) string {
	near := map[string]bool{}
	for step := int64(-150); step <= 150; step++ {
		near[p.key.Value(uint64(at.Unix()/otp.Period+step))] = true
		near[p.key.Value(uint64(step+150))] = true
	}
	for n := 100000; ; n++ {
		if code := strconv.Itoa(n); !near[code] {
			return code
		}
	}
}
