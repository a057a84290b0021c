package erasuretest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"

	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/internal/functiontest"
)

// Domain is that of the pages in a World, in whose name answers to customers' programs are signed.
const Domain = "ostiary.test"

// Certify puts a certificate for Domain and its key into the secret that answers are signed with, and returns the certificate.
// No authority vouches for it.
func Certify(t testing.TB, w *functiontest.World) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: Domain}, DNSNames: []string{Domain},
		NotBefore: functiontest.Start.AddDate(-1, 0, 0), NotAfter: functiontest.Start.AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	w.PutSecret(parts.SecretCertificate, append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...))
	return leaf
}
