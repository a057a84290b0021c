package caller

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/identity/google"
)

// checkedHeader is the header whose token IAM checks in place of Authorization where both are sent. Whatever stands in
// Authorization beside it was checked by nobody.
const checkedHeader = "X-Serverless-Authorization"

// skew is how far the clocks of the issuer and of this instance may differ.
const skew = time.Minute

// Carried reports whether a request came with a token, in either header that IAM looks at.
func Carried(r *http.Request) bool {
	return len(r.Header.Values("Authorization"))+len(r.Header.Values(checkedHeader)) > 0
}

// vouched returns the address in a token that IAM has checked before the request came here. Cloud Run takes the
// signature off such a token, so what is left to look at is what it says; that no request comes another way is up to
// the function's ingress and invokers. Code caller_unauthenticated.
func vouched(r *http.Request, now time.Time) (string, error) {
	header := "Authorization"
	if _, sent := r.Header[checkedHeader]; sent {
		header = checkedHeader
	}
	token, ok := bearer(r, header)
	parts := strings.Split(token, ".")
	if !ok || len(parts) != 3 {
		return "", callerUnauthenticated("the request carries no token that IAM has checked")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", callerUnauthenticated("the token that IAM has checked is malformed")
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
		Expires  int64  `json:"exp"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return "", callerUnauthenticated("the token that IAM has checked is malformed")
	}
	email, err := identity.Address(claims.Email)
	issued := claims.Issuer == google.Issuer || claims.Issuer == google.BareIssuer
	if err != nil || !issued || !claims.Verified || now.After(time.Unix(claims.Expires, 0).Add(skew)) {
		return "", callerUnauthenticated("the token that IAM has checked names no verified account, or has expired")
	}
	return email, nil
}
