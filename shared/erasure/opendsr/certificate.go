package opendsr

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Certificate reads the PEM a processor publishes and returns its first certificate, when at now it is valid for
// domain, was issued by one of roots (intermediates may follow in the PEM) and not by itself, and holds a key that
// may sign. Everything else is Denied, and says which of these failed. Revocation is the caller's to ask.
func Certificate(bundle []byte, domain string, roots *x509.CertPool, now time.Time) (*x509.Certificate, error) {
	var chain []*x509.Certificate
	for rest := bundle; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil || block.Type != "CERTIFICATE" || len(chain) == 10 {
			return nil, fault.New(fault.Denied, "reading a processor's certificate: not a short list of X.509 certificates in PEM")
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, fault.New(fault.Denied, "reading a processor's certificate: no PEM")
	}
	leaf, between := chain[0], x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	switch {
	case bytes.Equal(leaf.RawIssuer, leaf.RawSubject):
		return nil, fault.New(fault.Denied, "checking a processor's certificate: it is self-signed; one issued by an authority is needed")
	case !usable(leaf.PublicKey):
		return nil, fault.New(fault.Denied, "checking a processor's certificate: its key is neither RSA of at least %d bits nor ECDSA on P-256", leastRSA)
	case leaf.VerifyHostname(domain) != nil:
		return nil, fault.New(fault.Denied, "checking a processor's certificate: it does not name the processor's domain")
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return nil, fault.New(fault.Denied, "checking a processor's certificate: expired, not yet valid, or of an unknown authority")
	}
	return leaf, nil
}

// CheckCallback tells whether a controller's callback may be called: https at its usual port, a host of allowed
// (names in small letters), no address, no user in it, no fragment. Where the name leads is checked again when it is
// called. Otherwise Denied; the text holds nothing of the URL.
func CheckCallback(raw string, allowed []string) error {
	u, err := url.Parse(raw)
	wrong := ""
	switch {
	case err != nil || u.Scheme != "https" || u.Opaque != "" || u.Host == "":
		wrong = "it is no https URL"
	case u.User != nil || u.Fragment != "":
		wrong = "it holds a user or a fragment"
	case u.Port() != "" && u.Port() != "443":
		wrong = "its port is not 443"
	case net.ParseIP(u.Hostname()) != nil || numeric(u.Hostname()):
		wrong = "its host is an address"
	case !slices.Contains(allowed, strings.ToLower(u.Hostname())):
		wrong = "its host was not agreed for this controller"
	}
	if wrong != "" {
		return fault.New(fault.Denied, "checking a callback URL: %s", wrong)
	}
	return nil
}

// numeric reports whether a name may be read as an IPv4 address: its last label begins with a digit (as in 2130706433
// or 0x7f.1), which that of no domain does.
func numeric(host string) bool {
	last := host[strings.LastIndexByte(strings.TrimSuffix(host, "."), '.')+1:]
	return last == "" || last[0] >= '0' && last[0] <= '9'
}

// Retry says how long after its first attempt the n-th repetition of a callback is made (n from 1), false when it
// is time to give up and tell a person: after a day.
func Retry(n int) (time.Duration, bool) {
	if n < 1 || n > len(retries) {
		return 0, false
	}
	return retries[n-1], true
}

var retries = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}
