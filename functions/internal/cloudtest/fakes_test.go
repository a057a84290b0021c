package cloudtest

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"cloud.google.com/go/kms/apiv1/kmspb"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func sum(data []byte) int64 {
	return int64(crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
}

// keyService is Cloud KMS as far as symmetric keys go; every name is a key of its own.
type keyService struct {
	kmspb.UnimplementedKeyManagementServiceServer
	mu   sync.Mutex
	keys map[string]cipher.AEAD
}

func (s *keyService) key(name string) cipher.AEAD {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys[name] == nil {
		secret := make([]byte, 32)
		_, _ = rand.Read(secret)
		block, _ := aes.NewCipher(secret)
		s.keys[name], _ = cipher.NewGCM(block)
	}
	return s.keys[name]
}

func (s *keyService) Encrypt(_ context.Context, r *kmspb.EncryptRequest) (*kmspb.EncryptResponse, error) {
	nonce := make([]byte, 12)
	_, _ = rand.Read(nonce)
	sealed := s.key(r.GetName()).Seal(nonce, nonce, r.GetPlaintext(), r.GetAdditionalAuthenticatedData())
	return &kmspb.EncryptResponse{
		Name: r.GetName() + "/cryptoKeyVersions/1", Ciphertext: sealed, CiphertextCrc32C: wrapperspb.Int64(sum(sealed)),
		VerifiedPlaintextCrc32C: true, VerifiedAdditionalAuthenticatedDataCrc32C: true,
	}, nil
}

func (s *keyService) Decrypt(_ context.Context, r *kmspb.DecryptRequest) (*kmspb.DecryptResponse, error) {
	sealed := r.GetCiphertext()
	if len(sealed) < 12 {
		return nil, status.Error(codes.InvalidArgument, "Decryption failed: the ciphertext is invalid.")
	}
	plain, err := s.key(r.GetName()).Open(nil, sealed[:12], sealed[12:], r.GetAdditionalAuthenticatedData())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, "Decryption failed: verify that 'name' refers to the correct CryptoKey.")
	}
	return &kmspb.DecryptResponse{Plaintext: plain, PlaintextCrc32C: wrapperspb.Int64(sum(plain))}, nil
}

// secretService is Secret Manager; version 1 is all there is of each secret.
type secretService struct {
	secretmanagerpb.UnimplementedSecretManagerServiceServer
	values map[string]string
}

func (s *secretService) AccessSecretVersion(_ context.Context, r *secretmanagerpb.AccessSecretVersionRequest) (*secretmanagerpb.AccessSecretVersionResponse, error) {
	name := strings.TrimPrefix(r.GetName(), "projects/"+project+"/secrets/")
	value, ok := s.values[strings.TrimSuffix(name, "/versions/1")]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "Secret Version [%s] not found.", r.GetName())
	}
	check := sum([]byte(value))
	return &secretmanagerpb.AccessSecretVersionResponse{Name: r.GetName(), Payload: &secretmanagerpb.SecretPayload{Data: []byte(value), DataCrc32C: &check}}, nil
}

// serve starts one gRPC server for both and returns its address.
func serve(t *testing.T, values map[string]string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := grpc.NewServer()
	kmspb.RegisterKeyManagementServiceServer(server, &keyService{keys: map[string]cipher.AEAD{}})
	secretmanagerpb.RegisterSecretManagerServiceServer(server, &secretService{values: values})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// admin is the Admin SDK's users.get. Everybody has an account in order but those named.
type admin struct {
	*httptest.Server
	mu        sync.Mutex
	suspended map[string]bool
}

func newAdmin(t *testing.T) *admin {
	t.Helper()
	a := &admin{suspended: map[string]bool{}}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		email, found := strings.CutPrefix(r.URL.Path, "/admin/directory/v1/users/")
		if !found {
			http.NotFound(w, r)
			return
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "1122334455667788", "primaryEmail": email, "suspended": a.suspended[email], "isEnrolledIn2Sv": true, "isEnforcedIn2Sv": true})
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *admin) suspend(email string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.suspended[email] = true
}

// postOffice is a submission server that asks for a password.
type postOffice struct {
	address  string
	password string
	mu       sync.Mutex
	mails    map[string][]string // by recipient
}

func newPostOffice(t *testing.T, password string) *postOffice {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &postOffice{address: listener.Addr().String(), password: password, mails: map[string][]string{}}
	server := gosmtp.NewServer(p)
	server.Domain, server.AllowInsecureAuth = "mail.example", true
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() {
		_ = listener.Close()
		_ = server.Close()
		<-done
	})
	return p
}

// to returns what a person was sent.
func (p *postOffice) to(email string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.mails[email]...)
}

func (p *postOffice) NewSession(*gosmtp.Conn) (gosmtp.Session, error) {
	return &session{office: p}, nil
}

type session struct {
	office *postOffice
	known  bool
	to     string
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if s.known = user == "ostiary" && password == s.office.password; !s.known {
			return gosmtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (s *session) Mail(string, *gosmtp.MailOptions) error {
	if !s.known {
		return gosmtp.ErrAuthRequired
	}
	return nil
}

func (s *session) Rcpt(to string, _ *gosmtp.RcptOptions) error { s.to = to; return nil }

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	s.office.mails[s.to] = append(s.office.mails[s.to], string(data))
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }
