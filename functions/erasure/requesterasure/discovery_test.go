package requesterasure

import (
	"testing"

	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/opendsr/callback"
)

// Anybody reads, without a token, how customers' programs instruct and by which certificate they check the answers; before
// there is one, that nothing is served.
func discovered(t *testing.T) {
	t.Parallel()
	s := started(t)
	for _, path := range []string{"/opendsr/v2/discovery", "/opendsr/v2/certificate"} {
		do(t, s, call("GET", path, "", nil), 404, "not_served")
	}
	chain := "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
	if err := callback.Publish(t.Context(), s.Raw("erasure"), []byte(chain)); err != nil {
		t.Fatal(err)
	}
	var d opendsr.Discovery
	a := do(t, s, call("GET", "/opendsr/v2/discovery", "", nil), 200, "")
	a.Decode(t, &d)
	if d.APIVersion != "2.0" || len(d.Identities) != 4 || d.Certificate != "https://ostiary.test/requesterasure/opendsr/v2/certificate" {
		t.Errorf("discovery says %+v", d)
	}
	a = do(t, s, call("GET", "/opendsr/v2/certificate", "", nil), 200, "")
	if string(a.Body) != chain || a.Header.Get("Content-Type") != "application/x-pem-file" {
		t.Errorf("the certificate is %s", a.Body)
	}
	for _, path := range []string{"/opendsr/v2/discovery", "/opendsr/v2/certificate"} {
		s.Outages(t, &answered, call("GET", path, "", nil), 200)
	}
}
