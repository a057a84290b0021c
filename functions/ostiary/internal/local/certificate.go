package local

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"time"

	"ostiary.internal/shared/erasure/opendsr"
)

// certificateName is the secret with the certificate and its key.
const certificateName = "opendsr-certificate"

// certify makes the certificate that answers to customers' programs are signed with, for the name this machine is called by.
// No authority vouches for it.
func (w *World) certify(ctx context.Context) error {
	u, err := url.Parse(cmp.Or(w.options.URL, "http://localhost"))
	if err != nil {
		return fmt.Errorf("making a certificate: %w", err)
	}
	if bundle, err := w.secrets.Get(ctx, certificateName); err == nil {
		if _, err := opendsr.NewSigner(bundle, u.Hostname()); err == nil {
			return nil
		}
	}
	bundle, err := selfSigned(u.Hostname())
	if err == nil {
		_, err = w.secrets.Put(ctx, certificateName, bundle)
	}
	if err != nil {
		return fmt.Errorf("making a certificate: %w", err)
	}
	return nil
}

// selfSigned is valid at any time the clock of a laptop may be set to.
func selfSigned(host string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: time.Date(2018, 5, 25, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2118, 5, 25, 0, 0, 0, 0, time.UTC),
	}
	if ip := net.ParseIP(host); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...), nil
}
