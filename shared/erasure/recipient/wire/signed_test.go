package wire_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/recipient"
)

const created = `{"controller_id":"c","subject_request_id":"` + id + `","expected_completion_time":"2026-03-20T00:00:00Z","received_time":"2026-03-02T09:00:00Z","encoded_request":""}`

// authority issues certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{key: newKey(t)}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority.example"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true,
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, a.key.Public(), a.key)
	if err == nil {
		a.cert, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signer makes what a processor of a domain signs with.
func (a authority) signer(t *testing.T, domain string) *opendsr.Signer {
	t.Helper()
	key := newKey(t)
	form := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: domain}, DNSNames: []string{domain}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, form, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := opendsr.NewSigner(append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...), domain)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSigned: an answer confirms when whoever it says it is from has signed it, by the certificate published where he was asked.
func TestSigned(t *testing.T) {
	t.Parallel()
	known, stranger := newAuthority(t), newAuthority(t)
	good := known.signer(t, "example.com")
	type processor struct {
		signs, shows *opendsr.Signer
		domain       string // that the header says
		certificate  string // where discovery says it is
		body         string // instead of what was signed
		discovery    int
	}
	unsigned, later := recipient.Answer{Result: recipient.Refused, Why: "answer_unsigned"}, recipient.Answer{Result: recipient.Later, Why: "certificate_unreachable"}
	for name, c := range map[string]struct {
		change func(p *processor)
		want   recipient.Answer
	}{
		"as it should be":           {func(*processor) {}, recipient.Answer{Result: recipient.Heard}},
		"nobody signed":             {func(p *processor) { p.signs = nil }, unsigned},
		"by another key":            {func(p *processor) { p.signs = known.signer(t, "example.com") }, unsigned},
		"another body":              {func(p *processor) { p.body = strings.Replace(created, `"c"`, `"d"`, 1) }, unsigned},
		"of another domain":         {func(p *processor) { p.domain = "other.example" }, unsigned},
		"of an unknown authority":   {func(p *processor) { p.signs = stranger.signer(t, "example.com"); p.shows = p.signs }, unsigned},
		"shown by another domain":   {func(p *processor) { p.certificate = "https://sub.example.com/cert.pem" }, unsigned},
		"shown without TLS":         {func(p *processor) { p.certificate = "http://example.com/cert.pem" }, unsigned},
		"discovery is of no use":    {func(p *processor) { p.discovery = http.StatusNotFound }, unsigned},
		"discovery does not answer": {func(p *processor) { p.discovery = http.StatusServiceUnavailable }, later},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := processor{good, good, "example.com", "https://example.com/cert.pem", created, http.StatusOK}
			c.change(&p)
			client, _, _ := listen(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/v2/discovery":
					w.WriteHeader(p.discovery)
					_ = json.NewEncoder(w).Encode(opendsr.Discover([]opendsr.IdentityType{opendsr.Email}, nil, p.certificate))
				case "/cert.pem":
					_, _ = w.Write(p.shows.Chain)
				case "/v2/requests":
					if p.signs != nil {
						if err := p.signs.Sign(w.Header(), rand.Reader, opendsr.V2, []byte(created), now); err != nil {
							t.Error(err)
						}
						w.Header().Set("X-OpenDSR-Processor-Domain", p.domain)
					}
					w.WriteHeader(http.StatusCreated)
					_, _ = io.WriteString(w, p.body)
				}
			})
			client.Roots = x509.NewCertPool()
			client.Roots.AddCert(known.cert)
			a, err := client.Send(t.Context(), datamap.Recipient{ID: "r", By: datamap.ByOpenDSR, To: "https://example.com/v2"}, message)
			if err != nil || a != c.want {
				t.Errorf("got %+v, %v", a, err)
			}
		})
	}
}
