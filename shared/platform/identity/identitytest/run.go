package identitytest

import (
	"reflect"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
)

// Run runs the whole suite against a driver. The driver's package must be imported.
func Run(t *testing.T, k Kind) {
	keys := newKeyring(t, k.Algorithm)
	t.Run("opening", func(t *testing.T) { t.Parallel(); opening(t, k) })
	t.Run("genuine", func(t *testing.T) { t.Parallel(); genuine(t, k, keys) })
	t.Run("hostile", func(t *testing.T) {
		t.Parallel()
		for _, row := range append(hostileClaims(k), hostileForms(k, keys)...) {
			t.Run(row.name, func(t *testing.T) {
				t.Parallel()
				b := k.bench(t, keys)
				b.refuses(t, row.token(t, b, keys), row.reason)
			})
		}
	})
	t.Run("tampered", func(t *testing.T) { t.Parallel(); tampered(t, k, keys) })
	t.Run("keys", func(t *testing.T) { t.Parallel(); keySets(t, k, keys) })
}

// opening: a verifier that would check less than everything cannot be made.
func opening(t *testing.T, k Kind) {
	for name, query := range map[string]string{
		"no audience":       "",
		"empty audience":    "?audience=",
		"audience of space": "?audience=%20",
		"two audiences":     "?audience=a&audience=b",
		"unknown setting":   "?audience=" + k.Audience + "&issuer=x",
		"fragment":          "?audience=" + k.Audience + "#x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := identity.Drivers.Open(t.Context(), k.URL+query, identity.Options{Clock: clock.NewManual(start)})
			if !fault.Is(err, fault.Misconfigured) {
				t.Errorf("opening %s: %v, want misconfigured", k.URL+query, err)
			}
		})
	}
	t.Run("no clock", func(t *testing.T) {
		t.Parallel()
		_, err := identity.Drivers.Open(t.Context(), k.URL+"?audience="+k.Audience, identity.Options{})
		if !fault.Is(err, fault.Misconfigured) {
			t.Errorf("opening without a clock: %v, want misconfigured", err)
		}
	})
}

// genuine: what a good token says arrives, and the tolerances reach exactly as far as promised.
func genuine(t *testing.T, k Kind, keys *keyring) {
	t.Run("identity", func(t *testing.T) {
		t.Parallel()
		b := k.bench(t, keys)
		who := b.accepts(t, b.genuine(t, keys.current, map[string]any{
			"email": "Jane.Doe@LabelSync.example", "hd": "LabelSync.example", "amr": []string{"pwd", "mfa"},
			"auth_time": start.Unix() - 5, "nbf": start.Unix(), "tenant": "acme", "level": 3,
		}))
		if who.Subject != k.Claims["sub"] || who.Email != address || who.ServiceAccount || who.HostedDomain != "labelsync.example" {
			t.Errorf("identity: %+v", who)
		}
		if !reflect.DeepEqual(who.AMR, []string{"pwd", "mfa"}) || !who.AuthTime.Equal(start.Add(-5*time.Second)) ||
			!who.Issued.Equal(start) || !who.Expires.Equal(start.Add(time.Hour)) {
			t.Errorf("times and methods: %+v", who)
		}
		if who.Claims["tenant"] != "acme" || who.Claims["email"] != nil || who.Claims["iss"] != nil {
			t.Errorf("the rest of the claims: %v", who.Claims)
		}
		if !who.HostedBy("other.example", "labelsync.example") || who.HostedBy("sync.example") || who.HostedBy() {
			t.Errorf("HostedBy compares something else than the whole domain")
		}
	})
	for _, issuer := range k.Issuers {
		t.Run("issuer "+issuer, func(t *testing.T) {
			t.Parallel()
			b := k.bench(t, keys)
			b.accepts(t, b.genuine(t, keys.current, map[string]any{"iss": issuer}))
		})
	}
	for name, changes := range map[string]map[string]any{
		"audience in a list of one": {"aud": []string{k.Audience}},
		"just not expired":          {"iat": start.Unix() - 600, "exp": start.Unix() - 59},
		"issuer's clock ahead":      {"iat": start.Unix() + 60, "nbf": start.Unix() + 60},
		"dates with a fraction":     {"iat": float64(start.Unix()) - 0.5},
		"at the greatest age":       {"iat": start.Add(-k.LongestLived - time.Minute).Unix()},
		"no hosted domain":          {"hd": nil},
		"audience as party":         {"azp": k.Audience},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := k.bench(t, keys)
			b.accepts(t, b.genuine(t, keys.current, changes))
		})
	}
	t.Run("no typ", func(t *testing.T) {
		t.Parallel()
		b := k.bench(t, keys)
		b.accepts(t, keys.current.sign(t, k.claims(start), map[string]any{"typ": nil}))
	})
	serviceAccounts(t, k, keys)
}

// serviceAccounts: flagged by the whole domain, never by a look-alike.
func serviceAccounts(t *testing.T, k Kind, keys *keyring) {
	for email, want := range map[string]bool{
		"push@labelsync.iam.gserviceaccount.com":    true,
		"123-compute@developer.gserviceaccount.com": true,
		"push@evilgserviceaccount.com":              false,
		"push@gserviceaccount.com.evil.example":     false,
	} {
		t.Run(email, func(t *testing.T) {
			t.Parallel()
			b := k.bench(t, keys)
			changes := map[string]any{"email": email}
			if want {
				changes["azp"] = k.Claims["sub"]
			}
			if who := b.accepts(t, b.genuine(t, keys.current, changes)); who.ServiceAccount != want {
				t.Errorf("ServiceAccount is %t", who.ServiceAccount)
			}
		})
	}
}
