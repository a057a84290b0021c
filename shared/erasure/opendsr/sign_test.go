package opendsr_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"flag"
	"math/big"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/platform/fault"
)

var update = flag.Bool("update", false, "make the test vectors anew, with new keys")

const vectorFile = "../../../testdata/opendsr/signatures.json"

// vector is one published example: would a receiver that follows the profile believe this message?
type vector struct {
	Name        string `json:"name"`
	Body        string `json:"body_base64"`
	Signature   string `json:"signature_header"`
	Certificate string `json:"processor_certificate"`
	Good        bool   `json:"good"`
}

func TestVectors(t *testing.T) {
	t.Parallel()
	if *update {
		writeVectors(t)
	}
	raw, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(raw, &file); err != nil || len(file.Vectors) < 8 {
		t.Fatalf("%d vectors, %v", len(file.Vectors), err)
	}
	for _, v := range file.Vectors {
		block, _ := pem.Decode([]byte(v.Certificate))
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		body, err := base64.StdEncoding.DecodeString(v.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := opendsr.Verify(c.PublicKey, body, v.Signature); got != v.Good {
			t.Errorf("%s: believed %v, want %v", v.Name, got, v.Good)
		}
	}
}

func writeVectors(t *testing.T) {
	authority := newAuthority(t)
	body := []byte(`{"controller_id":"example","expected_completion_time":"2026-04-02T22:00:00Z","subject_request_id":"a7551968-d5d6-44b2-9831-815ac9017798","request_status":"pending","api_version":"2.0"}`)
	var vectors []vector
	add := func(name string, body []byte, signature string, cert []byte, good bool) {
		vectors = append(vectors, vector{name, base64.StdEncoding.EncodeToString(body), signature, string(cert), good})
	}
	for name, key := range map[string]crypto.Signer{"rsa-4096": rsaKey(t, 4096), "ecdsa-p256": ecKey(t, elliptic.P256())} {
		cert := authority.issue(t, key.Public(), "processor.example", now)
		signature := sign(t, key, body)
		add(name, body, signature, cert, true)
		add(name+", one byte of the body changed", append([]byte("["), body[1:]...), signature, cert, false)
		add(name+", a space behind the body", append(body[:len(body):len(body)], ' '), signature, cert, false)
		add(name+", signature wrapped", body, signature[:20]+"\n"+signature[20:], cert, false)
		add(name+", signature of another key", body, signature, authority.issue(t, rsaKey(t, 2048).Public(), "processor.example", now), false)
	}
	pss := rsaKey(t, 2048)
	digest := sha256.Sum256(body)
	raw, err := rsa.SignPSS(rand.Reader, pss, crypto.SHA256, digest[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	add("rsassa-pss", body, base64.StdEncoding.EncodeToString(raw), authority.issue(t, pss.Public(), "processor.example", now), true)
	p384 := ecKey(t, elliptic.P384())
	raw, err = p384.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	add("ecdsa-p384 is not of the profile", body, base64.StdEncoding.EncodeToString(raw), authority.issue(t, p384.Public(), "processor.example", now), false)
	out, err := json.MarshalIndent(map[string]any{"vectors": vectors}, "", "  ")
	if err == nil {
		err = os.WriteFile(vectorFile, append(out, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestSignedByWeakKey(t *testing.T) {
	t.Parallel()
	if _, err := opendsr.Sign(rand.Reader, ecKey(t, elliptic.P384()), []byte("{}")); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("got %v", err)
	}
}

// TestSigner: what is signed is believed by who reads the published chain, which holds no key.
func TestSigner(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	bundle := func(key crypto.Signer, domain string) []byte {
		secret, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return append(authority.issue(t, key.Public(), domain, now), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...)
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.cert)
	body := []byte(`{"request_status":"pending"}`)
	for name, key := range map[string]crypto.Signer{"rsa": rsaKey(t, 2048), "ecdsa": ecKey(t, elliptic.P256())} {
		s, err := opendsr.NewSigner(bundle(key, "processor.example"), "processor.example")
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		if err := s.Sign(h, rand.Reader, opendsr.V2, body, now); err != nil {
			t.Fatal(err)
		}
		c, err := opendsr.Certificate(s.Chain, h.Get("X-OpenDSR-Processor-Domain"), roots, now)
		if err != nil || !opendsr.Verify(c.PublicKey, body, h.Get("X-OpenDSR-Signature")) || bytes.Contains(s.Chain, []byte("PRIVATE")) {
			t.Errorf("%s: %v, headers %v", name, err, h)
		}
		if err := s.Sign(h, rand.Reader, opendsr.V2, body, now.AddDate(2, 0, 0)); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: signs with an expired certificate: %v", name, err)
		}
	}
	for name, b := range map[string][]byte{
		"another domain": bundle(ecKey(t, elliptic.P256()), "other.example"), "a weak curve": bundle(ecKey(t, elliptic.P384()), "processor.example"),
		"no key": authority.issue(t, ecKey(t, elliptic.P256()).Public(), "processor.example", now), "nothing": nil,
	} {
		if _, err := opendsr.NewSigner(b, "processor.example"); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	authority, stranger := newAuthority(t), newAuthority(t)
	key := ecKey(t, elliptic.P256())
	good := authority.issue(t, key.Public(), "processor.example", now)
	roots := x509.NewCertPool()
	roots.AddCert(authority.cert)
	for name, c := range map[string]struct {
		bundle []byte
		domain string
		at     time.Time
		want   string
	}{
		"good":              {good, "processor.example", now, ""},
		"with its issuer":   {append(bytes.Clone(good), encode(authority.cert.Raw)...), "processor.example", now, ""},
		"other domain":      {good, "evil.example", now, "does not name"},
		"look-alike":        {good, "processor.example.evil.example", now, "does not name"},
		"expired":           {good, "processor.example", now.AddDate(2, 0, 0), "expired"},
		"not yet valid":     {good, "processor.example", now.AddDate(-2, 0, 0), "not yet valid"},
		"unknown authority": {stranger.issue(t, key.Public(), "processor.example", now), "processor.example", now, "unknown authority"},
		"self-signed":       {encode(authority.cert.Raw), "authority.example", now, "self-signed"},
		"weak curve":        {authority.issue(t, ecKey(t, elliptic.P384()).Public(), "processor.example", now), "processor.example", now, "neither RSA"},
		"nothing":           {nil, "processor.example", now, "no PEM"},
		"garbage":           {[]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "processor.example", now, "X.509"},
	} {
		_, err := opendsr.Certificate(c.bundle, c.domain, roots, c.at)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestCheckCallback(t *testing.T) {
	t.Parallel()
	allowed := []string{"controller.example"}
	for _, good := range []string{"https://controller.example/dsr", "https://Controller.example:443/dsr?x=1"} {
		if err := opendsr.CheckCallback(good, allowed); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "http://controller.example/", "https://controller.example:8443/", "https://u:p@controller.example/", "https://controller.example/#x",
		"https://evil.example/", "https://controller.example.evil.example/", "https://controller.example@evil.example/", "https://127.0.0.1/",
		"https://[::1]/", "https://169.254.169.254/latest", "https://2130706433/", "https://0x7f.1/", "https:controller.example", "file:///etc/passwd", "https://xn--controller.example/",
	} {
		if err := opendsr.CheckCallback(bad, append(allowed, "127.0.0.1", "2130706433", "0x7f.1")); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	last := time.Duration(0)
	for n := 1; ; n++ {
		after, ok := opendsr.Retry(n)
		if !ok {
			break
		}
		if after <= last {
			t.Errorf("attempt %d after %s, the one before after %s", n, after, last)
		}
		last = after
	}
	if last != 24*time.Hour {
		t.Errorf("gives up after %s, want a day", last)
	}
}

type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key := ecKey(t, elliptic.P256())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority.example"}, DNSNames: []string{"authority.example"}, IsCA: true,
		NotBefore: now.AddDate(-10, 0, 0), NotAfter: now.AddDate(10, 0, 0), KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key}
}

func (a authority) issue(t *testing.T, key crypto.PublicKey, domain string, at time.Time) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: domain}, DNSNames: []string{domain},
		NotBefore: at.AddDate(-1, 0, 0), NotAfter: at.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.cert, key, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return encode(raw)
}

func encode(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, key crypto.Signer, body []byte) string {
	t.Helper()
	signature, err := opendsr.Sign(rand.Reader, key, body)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}
