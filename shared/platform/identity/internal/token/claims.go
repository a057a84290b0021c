package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/platform/identity"
)

// maxSubjectBytes is the longest sub (OpenID Connect Core 1.0 section 2).
const maxSubjectBytes = 255

// lastDate is the last second a date may name: the end of the year 9999, which every store and format can write.
const lastDate = 253402300799

// read turns signed claims into an identity. Every claim it knows is checked for its type as well: a claim in an
// unexpected shape is a claim somebody else would read differently.
func (v *verifier) read(payload []byte, now time.Time) (identity.Identity, error) {
	claims, err := decode(payload)
	if err != nil {
		return identity.Identity{}, err
	}
	var who identity.Identity
	for _, step := range []func(map[string]any, time.Time, *identity.Identity) error{
		v.origin, v.times, v.person, v.party, v.extras,
	} {
		if err := step(claims, now, &who); err != nil {
			return identity.Identity{}, err
		}
	}
	return who, nil
}

// origin checks iss and aud (RFC 7519 sections 4.1.1 and 4.1.3). A token made out to others as well is refused:
// any of them could replay it here.
func (v *verifier) origin(claims map[string]any, _ time.Time, _ *identity.Identity) error {
	if issuer, ok := claims["iss"].(string); !ok || !slices.Contains(v.kind.Issuers, issuer) {
		return errors.New("issuer is another one")
	}
	audience := claims["aud"]
	if list, ok := audience.([]any); ok && len(list) == 1 {
		audience = list[0]
	}
	if audience != v.audience {
		// The value helps to find a wrong setting; it is signed by the issuer and names a service, not a person.
		text, _ := audience.(string)
		return fmt.Errorf("audience is %.128q, not ours alone", text)
	}
	return nil
}

// times checks exp, iat and nbf (RFC 7519 sections 4.1.4 to 4.1.6) and the age of the token.
func (v *verifier) times(claims map[string]any, now time.Time, who *identity.Identity) error {
	expires, ok := date(claims["exp"])
	if !ok {
		return errors.New("exp is missing or not a date")
	}
	issued, ok := date(claims["iat"])
	if !ok {
		return errors.New("iat is missing or not a date")
	}
	if !now.Before(expires.Add(Skew)) {
		return errors.New("expired")
	}
	if issued.After(now.Add(Skew)) {
		return errors.New("issued in the future")
	}
	if now.After(issued.Add(v.kind.MaxAge + Skew)) {
		return errors.New("issued too long ago")
	}
	if raw, present := claims["nbf"]; present {
		if from, ok := date(raw); !ok || from.After(now.Add(Skew)) {
			return errors.New("not valid yet")
		}
	}
	if raw, present := claims["auth_time"]; present {
		if who.AuthTime, ok = date(raw); !ok {
			return errors.New("auth_time is not a date")
		}
	}
	who.Issued, who.Expires = issued, expires
	return nil
}

// person checks sub, email and email_verified.
func (v *verifier) person(claims map[string]any, _ time.Time, who *identity.Identity) error {
	subject, ok := claims["sub"].(string)
	if !ok || subject == "" || len(subject) > maxSubjectBytes || !printable(subject) {
		return errors.New("sub is missing or malformed")
	}
	raw, _ := claims["email"].(string)
	email, err := identity.Address(raw)
	if err != nil {
		return errors.New("email is missing or malformed")
	}
	if verified, present := claims["email_verified"]; present && verified != true || !present && v.kind.EmailVerified {
		return errors.New("email is not verified")
	}
	who.Subject, who.Email, who.ServiceAccount = subject, email, identity.IsServiceAccount(email)
	return nil
}

// party checks azp (OpenID Connect Core 1.0 section 2). A person's token names the client it was made for; a
// Google service account mints its token itself and names itself there, by number or by address.
func (v *verifier) party(claims map[string]any, _ time.Time, who *identity.Identity) error {
	party, present := claims["azp"]
	if !v.kind.Party || !present || party == v.audience {
		return nil
	}
	if who.ServiceAccount && (party == who.Subject || party == who.Email) {
		return nil
	}
	return errors.New("azp is another party")
}

// extras reads hd and amr and keeps the rest.
func (v *verifier) extras(claims map[string]any, _ time.Time, who *identity.Identity) error {
	if raw, present := claims["hd"]; present {
		text, _ := raw.(string)
		domain, err := identity.Domain(text)
		if err != nil {
			return errors.New("hd is malformed")
		}
		who.HostedDomain = domain
	}
	if raw, present := claims["amr"]; present {
		list, ok := raw.([]any)
		for _, entry := range list {
			method, isText := entry.(string)
			ok = ok && isText
			who.AMR = append(who.AMR, method)
		}
		if !ok {
			return errors.New("amr is not a list of texts")
		}
	}
	who.Claims = maps.Clone(claims)
	for _, known := range []string{"iss", "aud", "azp", "exp", "iat", "nbf", "auth_time", "sub", "email", "email_verified", "hd", "amr"} {
		delete(who.Claims, known)
	}
	return nil
}

// date reads a NumericDate (RFC 7519 section 2), cut to seconds.
func date(raw any) (time.Time, bool) {
	number, ok := raw.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > lastDate {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0).UTC(), true
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
