package smtp

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"ostiary.internal/shared/platform/message/messagetest"
)

const testPassword = "correct horse"

// server is a real submission server on the loopback; the knobs refuse.
type server struct {
	mu      sync.Mutex
	mails   [][]byte
	to      []string
	logins  int
	onRcpt  func(try int) error // nil accepts
	onData  func(try int) error
	newest  uint16 // version of TLS; 0: what Go speaks
	tries   int
	address string
	roots   *x509.CertPool
}

func (s *server) NewSession(*gosmtp.Conn) (gosmtp.Session, error) { return &session{server: s}, nil }

type session struct {
	*server
	rcpt string
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.logins++
		if user != "ostiary" || password != testPassword {
			return gosmtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (s *session) Mail(string, *gosmtp.MailOptions) error { return nil }

func (s *session) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	s.rcpt = to
	if s.onRcpt != nil {
		return s.onRcpt(s.tries)
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.onData != nil {
		if err := s.onData(s.tries); err != nil {
			return err
		}
	}
	s.mails, s.to = append(s.mails, data), append(s.to, s.rcpt)
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mails)
}

// serve starts s with the given protection.
func serve(t *testing.T, s *server, security Security) *server {
	t.Helper()
	certificate, roots := certify(t, "127.0.0.1", time.Hour)
	s.roots = roots
	listener := listen(t)
	s.address = listener.Addr().String()
	real := gosmtp.NewServer(s)
	real.Domain, real.ErrorLog = "mail.example", quiet{}
	real.ReadTimeout, real.WriteTimeout = 10*time.Second, 10*time.Second
	switch security {
	case StartTLS:
		real.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MaxVersion: s.newest}
	case Implicit:
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}})
	case Plain:
		real.AllowInsecureAuth = true
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = real.Serve(listener) }()
	t.Cleanup(func() {
		_ = listener.Close() // the server may not have begun yet, and then closes nothing
		_ = real.Close()
		<-done
	})
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// certify makes an authority and a certificate of it for host, which ends after life.
func certify(t *testing.T, host string, life time.Duration) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(life),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// received reads what arrived as a mail program does.
func (s *server) received(t *testing.T) []messagetest.Received {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []messagetest.Received
	for i, raw := range s.mails {
		r, err := readMail(raw)
		if err != nil {
			t.Fatal(err)
		}
		if r.To != s.to[i] {
			t.Errorf("the header names %q, the envelope %q", r.To, s.to[i])
		}
		all = append(all, r)
	}
	return all
}

var encodedWord = regexp.MustCompile(`=\?utf-8\?b\?([^?]*)\?=`)

func readMail(raw []byte) (messagetest.Received, error) {
	for line := range bytes.Lines(raw) {
		whole := bytes.HasPrefix(line, []byte("To: ")) || bytes.HasPrefix(line, []byte("Message-ID: ")) // cannot be folded
		if len(line) > 78+2 && !whole || !bytes.HasSuffix(line, []byte("\r\n")) || bytes.ContainsAny(line[:len(line)-2], "\r\n\x00") {
			return messagetest.Received{}, errors.New("a line is over 78 characters or ends otherwise than CRLF")
		}
	}
	for _, word := range encodedWord.FindAllSubmatch(raw, -1) {
		if part, err := base64.StdEncoding.DecodeString(string(word[1])); err != nil || !utf8.Valid(part) {
			return messagetest.Received{}, errors.New("an encoded word does not stand by itself")
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return messagetest.Received{}, err
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 1 {
		return messagetest.Received{}, errors.New("not one recipient")
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return messagetest.Received{}, err
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		return messagetest.Received{}, err
	}
	id, _, _ := strings.Cut(strings.Trim(m.Header.Get("Message-ID"), "<>"), "@")
	return messagetest.Received{ID: id, To: to[0].Address, Subject: subject, Text: strings.ReplaceAll(string(text), "\r\n", "\n")}, nil
}

// script plays a server that misbehaves: it reads lines and answers by play until play says stop. seen collects what
// the client said.
type script struct {
	mu      sync.Mutex
	seen    []string
	address string
}

func (s *script) said(prefix string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.seen {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}

// scripted accepts connections one after another and lets play have each; play ends the connection by returning.
func scripted(t *testing.T, play func(conn net.Conn, read func() (string, bool))) *script {
	t.Helper()
	s := &script{}
	listener := listen(t)
	s.address = listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			lines := bufio.NewScanner(conn)
			play(conn, func() (string, bool) {
				if !lines.Scan() {
					return "", false
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				s.seen = append(s.seen, lines.Text())
				return lines.Text(), true
			})
			_ = conn.Close()
		}
	}()
	return s
}

// transaction plays a correct server up to the final dot and returns true when it came.
func transaction(conn net.Conn, read func() (string, bool)) bool {
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	say("220 mail.example ESMTP")
	for {
		line, ok := read()
		if !ok {
			return false
		}
		switch verb, _, _ := strings.Cut(line, " "); verb {
		case "EHLO":
			say("250 mail.example")
		case "DATA":
			say("354 go ahead")
			for {
				if line, ok := read(); !ok {
					return false
				} else if line == "." {
					return true
				}
			}
		default:
			say("250 2.0.0 OK")
		}
	}
}
