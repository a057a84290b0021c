package revokegrants

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/shared/platform/fault"
)

// EnvOutside is the address, on this machine, of what stands for all hosts of others: requests go there as they are, with
// their own Host. Deployed, it is refused.
const EnvOutside = "OSTIARY_OUTSIDE"

// outside is how others are reached; nil for over the internet. Where sample data stands for the product's, nobody outside
// is asked to end anything: a stand-in answers in their place.
func outside(p *parts.Parts) (http.RoundTripper, error) {
	address, _ := p.Env(EnvOutside)
	data, _ := p.Env(parts.EnvData)
	if _, deployed := p.Env("K_SERVICE"); deployed && address != "" {
		return nil, fault.New(fault.Misconfigured, "%s is set on a deployed function", EnvOutside)
	}
	if address != "" {
		to, err := url.Parse(address)
		if err != nil || to.Host == "" {
			return nil, fault.New(fault.Misconfigured, "%s: not an address", EnvOutside)
		}
		return instead{to}, nil
	}
	if data != "" {
		return standIn{}, nil
	}
	return nil, nil
}

// instead sends requests to one address, whomever they are for.
type instead struct{ to *url.URL }

// RoundTrip implements http.RoundTripper.
func (i instead) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = r.URL.Host
	r.URL.Scheme, r.URL.Host = i.to.Scheme, i.to.Host
	return http.DefaultTransport.RoundTrip(r)
}

// standIn takes whatever it is told, as each provider and recipient would.
type standIn struct{}

// RoundTrip implements http.RoundTripper.
func (standIn) RoundTrip(r *http.Request) (*http.Response, error) {
	var asked struct {
		ID string `json:"subject_request_id"`
	}
	if r.Body != nil {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		_ = r.Body.Close()
		if err != nil {
			return nil, err
		}
		_ = json.Unmarshal(body, &asked) // a form is none
	}
	status, text := http.StatusOK, `{"ok":true,"revoked":true}`
	switch {
	case r.Method == http.MethodDelete:
		status, text = http.StatusNoContent, ""
	case strings.HasSuffix(r.URL.Path, "/requests"):
		answer, err := json.Marshal(asked)
		if err != nil {
			return nil, err
		}
		status, text = http.StatusCreated, string(answer)
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader([]byte(text))), ContentLength: int64(len(text)), Request: r,
	}, nil
}
