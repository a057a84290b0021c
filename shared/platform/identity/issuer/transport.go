package issuer

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"ostiary.internal/shared/platform/identity/google"
	"ostiary.internal/shared/platform/identity/iap"
	"ostiary.internal/shared/platform/identity/oidc"
)

// keysPath follows the issuer's URL in the address of its key set.
const keysPath = "/.well-known/jwks.json"

// Transport returns what a verifier fetches public keys through: Google's key addresses, the issuer's discovery
// document and its keys, answered in this process. Every other request is refused, and none leaves the machine.
func (i *Issuer) Transport() http.RoundTripper { return transport{i} }

type transport struct{ issuer *Issuer }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	if r.Method != http.MethodGet {
		return nil, errors.New("the local issuer answers GET only")
	}
	keys, err := t.issuer.load()
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(t.issuer.url, "/")
	switch address := r.URL.String(); {
	case address == iap.Keys:
		return answer(r, keySet(keys.ES256))
	case address == google.Keys, base != "" && address == base+keysPath:
		return answer(r, keySet(keys.RS256))
	case base != "" && address == base+oidc.DiscoveryPath:
		return answer(r, map[string]any{
			"issuer": t.issuer.url, "jwks_uri": base + keysPath,
			"subject_types_supported": []string{"public"}, "response_types_supported": []string{"id_token"},
			"id_token_signing_alg_values_supported": []string{string(jose.RS256)},
		})
	}
	return nil, errors.New("the local issuer does not answer at " + r.URL.Scheme + "://" + r.URL.Host)
}

func keySet(key jose.JSONWebKey) jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}
}

func answer(r *http.Request, document any) (*http.Response, error) {
	body, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"max-age=300"}},
		Body:    io.NopCloser(bytes.NewReader(body)),
		Request: r, ContentLength: int64(len(body)),
	}, nil
}
