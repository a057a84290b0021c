package smtp

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/messagetest"
	"ostiary.internal/shared/platform/secret/file"
)

var sender = mail.Address{Name: "Ostiary bei Müller", Address: "ostiary@company.example"}

// channel speaks to address, with whatever change the test makes.
func channel(t *testing.T, address string, security Security, roots *x509.CertPool, change func(*Config)) *Channel {
	t.Helper()
	c := Config{Address: address, From: sender, Security: security, Roots: roots, Timeout: 5 * time.Second}
	if change != nil {
		change(&c)
	}
	made, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// withPassword makes the channel log in with a password from a real secret store.
func withPassword(t *testing.T, password string) func(*Config) {
	t.Helper()
	dir := t.TempDir()
	secrets := file.New(dir+"/secrets", dir+"/key", nil)
	if _, err := secrets.Put(t.Context(), "smtp-password", []byte(password)); err != nil {
		t.Fatal(err)
	}
	return func(c *Config) { c.User, c.Secret, c.Secrets = "ostiary", "smtp-password@1", secrets }
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for security, word := range map[Security]string{StartTLS: message.TLS13, Implicit: message.TLS13, Plain: message.Plain} {
		t.Run(string(security), func(t *testing.T) {
			t.Parallel()
			messagetest.Run(t, func(t *testing.T) messagetest.Peer {
				s := serve(t, &server{}, security)
				return messagetest.Peer{Channel: channel(t, s.address, security, s.roots, withPassword(t, testPassword)), TLS: word, Received: s.received}
			})
		})
	}
}

func TestReplies(t *testing.T) {
	t.Parallel()
	reply := func(code int, enhanced gosmtp.EnhancedCode) error {
		return &gosmtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: "about ana@customer.example"}
	}
	first := func(err error) func(int) error {
		return func(try int) error {
			if try == 1 {
				return err
			}
			return nil
		}
	}
	for name, test := range map[string]struct {
		server *server
		want   []message.Outcome
		kind   fault.Kind
		says   string
	}{
		"recipient 451 then 250": {&server{onRcpt: first(reply(451, gosmtp.EnhancedCode{4, 7, 1}))}, []message.Outcome{message.Deferred, message.Accepted}, fault.Transient, "451 4.7.1"},
		"recipient 550":          {&server{onRcpt: first(reply(550, gosmtp.EnhancedCode{5, 1, 1}))}, []message.Outcome{message.Failed, message.Accepted}, fault.Invalid, "550 5.1.1"},
		"content 452 then 250":   {&server{onData: first(reply(452, gosmtp.EnhancedCode{4, 3, 1}))}, []message.Outcome{message.Deferred, message.Accepted}, fault.Transient, "452 4.3.1"},
		"content 554":            {&server{onData: first(reply(554, gosmtp.EnhancedCode{5, 7, 1}))}, []message.Outcome{message.Failed, message.Accepted}, fault.Invalid, "554 5.7.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, test.server, StartTLS)
			c := channel(t, s.address, StartTLS, s.roots, nil)
			for i, want := range test.want {
				outcome, err := c.Send(t.Context(), messagetest.Message("m"))
				if outcome != want {
					t.Fatalf("send %d: %s, %v; want %s", i+1, outcome, err, want)
				}
				if want == message.Accepted {
					continue
				}
				if !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("send %d: %v (%s); want %s with %q", i+1, err, fault.KindOf(err), test.kind, test.says)
				}
				if strings.Contains(err.Error(), "ana") {
					t.Errorf("the error quotes the recipient: %v", err)
				}
			}
			if got := s.count(); got != 1 {
				t.Errorf("%d mails arrived, want 1", got)
			}
		})
	}
}

func TestCuts(t *testing.T) {
	t.Parallel()
	say := func(conn net.Conn, line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	for name, test := range map[string]struct {
		play func(net.Conn, func() (string, bool))
		want message.Outcome
	}{
		"cut after the final dot": {func(c net.Conn, read func() (string, bool)) { transaction(c, read) }, message.Unknown},
		"no answer after the final dot": {func(c net.Conn, read func() (string, bool)) {
			transaction(c, read)
			read() // until the client gives up
		}, message.Unknown},
		"nonsense after the final dot": {func(c net.Conn, read func() (string, bool)) {
			transaction(c, read)
			say(c, "to whom it may concern: ana@customer.example")
		}, message.Unknown},
		"neither yes nor no after the final dot": {func(c net.Conn, read func() (string, bool)) {
			transaction(c, read)
			say(c, "354 more?")
		}, message.Unknown},
		"an unusual yes after the final dot": {func(c net.Conn, read func() (string, bool)) {
			transaction(c, read)
			say(c, "252 perhaps")
		}, message.Unknown},
		"half a reply after the final dot": {func(c net.Conn, read func() (string, bool)) {
			transaction(c, read)
			_, _ = io.WriteString(c, "250-acc")
		}, message.Unknown},
		"closing down after the final dot": {func(c net.Conn, read func() (string, bool)) {
			transaction(c, read)
			say(c, "421 4.3.2 closing down")
		}, message.Deferred},
		"accepted, then cut before the farewell": {func(c net.Conn, read func() (string, bool)) {
			transaction(c, read)
			say(c, "250 2.0.0 queued")
		}, message.Accepted},
		"cut before the greeting": {func(net.Conn, func() (string, bool)) {}, message.Deferred},
		"never greets": {func(_ net.Conn, read func() (string, bool)) {
			read()
		}, message.Deferred},
		"greets with nonsense": {func(c net.Conn, _ func() (string, bool)) { say(c, "SSH-2.0-OpenSSH_9.6") }, message.Deferred},
		"refuses everybody":    {func(c net.Conn, _ func() (string, bool)) { say(c, "554 5.3.2 no service") }, message.Deferred},
		"cut at the sender": {func(c net.Conn, read func() (string, bool)) {
			say(c, "220 mail.example ESMTP")
			read()
			say(c, "250 mail.example")
			read()
		}, message.Deferred},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, test.play)
			c := channel(t, s.address, Plain, nil, func(c *Config) { c.Timeout = 700 * time.Millisecond })
			outcome, err := c.Send(t.Context(), messagetest.Message("m"))
			if outcome != test.want || (err == nil) != (outcome == message.Accepted) {
				t.Errorf("%s, %v; want %s", outcome, err, test.want)
			}
			if err != nil && (strings.Contains(err.Error(), "ana") || strings.Contains(err.Error(), "registered")) {
				t.Errorf("the error quotes the message: %v", err)
			}
		})
	}
}

// A wire without buffers, cut within the content: the final dot was never sent, so the server has no message.
func TestCutWithinTheContent(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		defer theirs.Close()
		lines := bufio.NewScanner(theirs)
		_, _ = io.WriteString(theirs, "220 mail.example ESMTP\r\n")
		for lines.Scan() && lines.Text() != "DATA" {
			_, _ = io.WriteString(theirs, "250 OK\r\n")
		}
		_, _ = io.WriteString(theirs, "354 go ahead\r\n")
		lines.Scan()
	}()
	content := []byte(strings.Repeat("line after line of it\r\n", 10_000))
	outcome, err := submit(gosmtp.NewClient(ours), sender.Address, "ana@customer.example", content)
	if outcome != message.Deferred || !fault.Is(err, fault.Transient) {
		t.Errorf("%s, %v; want deferred and transient", outcome, err)
	}
}

func TestNothingIsSaidToAnUntrustedServer(t *testing.T) {
	t.Parallel()
	certificates := map[string]func(t *testing.T) (tls.Certificate, *x509.CertPool){
		"another name": func(t *testing.T) (tls.Certificate, *x509.CertPool) { return certify(t, "mail.example", time.Hour) },
		"expired":      func(t *testing.T) (tls.Certificate, *x509.CertPool) { return certify(t, "127.0.0.1", -time.Hour) },
		"unknown authority": func(t *testing.T) (tls.Certificate, *x509.CertPool) {
			certificate, _ := certify(t, "127.0.0.1", time.Hour)
			_, others := certify(t, "127.0.0.1", time.Hour)
			return certificate, others
		},
	}
	for name, certificate := range certificates {
		for _, security := range []Security{StartTLS, Implicit} {
			t.Run(name+" "+string(security), func(t *testing.T) {
				t.Parallel()
				pair, roots := certificate(t)
				s := scripted(t, func(conn net.Conn, read func() (string, bool)) {
					if security == StartTLS {
						_, _ = io.WriteString(conn, "220 mail.example\r\n")
						read()
						_, _ = io.WriteString(conn, "250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n")
						read()
						_, _ = io.WriteString(conn, "220 go\r\n")
					}
					secured := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{pair}})
					buffer := make([]byte, 100)
					if n, err := secured.Read(buffer); err == nil {
						t.Errorf("the client said %q over an untrusted connection", buffer[:n])
					}
				})
				c := channel(t, s.address, security, roots, withPassword(t, testPassword))
				outcome, err := c.Send(t.Context(), messagetest.Message("m"))
				if outcome != message.Deferred || !fault.Is(err, fault.Misconfigured) {
					t.Errorf("%s, %v (%s); want deferred and misconfigured", outcome, err, fault.KindOf(err))
				}
			})
		}
	}
}

func TestStrippedStartTLSIsRefused(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(net.Conn, func() (string, bool)){
		"not offered": func(conn net.Conn, read func() (string, bool)) {
			_, _ = io.WriteString(conn, "220 mail.example\r\n")
			read()
			_, _ = io.WriteString(conn, "250-mail.example\r\n250 AUTH PLAIN\r\n")
			for _, ok := read(); ok; _, ok = read() {
				_, _ = io.WriteString(conn, "250 OK\r\n")
			}
		},
		"refused": func(conn net.Conn, read func() (string, bool)) {
			_, _ = io.WriteString(conn, "220 mail.example\r\n")
			read()
			_, _ = io.WriteString(conn, "250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n")
			for _, ok := read(); ok; _, ok = read() {
				_, _ = io.WriteString(conn, "502 no\r\n")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, play)
			c := channel(t, s.address, StartTLS, nil, withPassword(t, testPassword))
			outcome, err := c.Send(t.Context(), messagetest.Message("m"))
			if outcome != message.Deferred || !fault.Is(err, fault.Misconfigured) {
				t.Errorf("%s, %v (%s); want deferred and misconfigured", outcome, err, fault.KindOf(err))
			}
			for _, verb := range []string{"AUTH", "MAIL", "RCPT", "DATA"} {
				if s.said(verb) {
					t.Errorf("%s was said in the clear", verb)
				}
			}
		})
	}
}

// Whatever is sent along with the go-ahead of STARTTLS came from nobody we know (the 2011 injection flaw).
func TestInjectedPlaintextIsDropped(t *testing.T) {
	t.Parallel()
	pair, roots := certify(t, "127.0.0.1", time.Hour)
	verbs := make(chan string, 10)
	s := scripted(t, func(conn net.Conn, read func() (string, bool)) {
		_, _ = io.WriteString(conn, "220 mail.example\r\n")
		read()
		_, _ = io.WriteString(conn, "250-mail.example\r\n250 STARTTLS\r\n")
		read()
		_, _ = io.WriteString(conn, "220 go\r\n250 mail.example\r\n250 OK\r\n250 OK\r\n354 go\r\n250 OK\r\n")
		secured := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{pair}})
		buffer := make([]byte, 1000)
		n, _ := secured.Read(buffer)
		verbs <- string(buffer[:n])
	})
	c := channel(t, s.address, StartTLS, roots, nil)
	if outcome, err := c.Send(t.Context(), messagetest.Message("m")); outcome != message.Deferred {
		t.Errorf("%s, %v; want deferred: the server said nothing after STARTTLS", outcome, err)
	}
	select {
	case first := <-verbs:
		if first != "" && !strings.HasPrefix(first, "EHLO") {
			t.Errorf("after STARTTLS the client said %q", first)
		}
	case <-time.After(5 * time.Second):
		t.Error("the server never ended")
	}
}
