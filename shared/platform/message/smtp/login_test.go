package smtp

import (
	"context"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/messagetest"
	"ostiary.internal/shared/platform/secret/file"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	t.Run("wrong password", func(t *testing.T) {
		t.Parallel()
		s := serve(t, &server{}, StartTLS)
		c := channel(t, s.address, StartTLS, s.roots, withPassword(t, "wrong one"))
		outcome, err := c.Send(t.Context(), messagetest.Message("m"))
		if outcome != message.Deferred || !fault.Is(err, fault.Misconfigured) || strings.Contains(err.Error(), "wrong one") {
			t.Errorf("%s, %v; want deferred, misconfigured, no password shown", outcome, err)
		}
	})
	t.Run("secret missing", func(t *testing.T) {
		t.Parallel()
		s := serve(t, &server{}, StartTLS)
		with := withPassword(t, testPassword)
		c := channel(t, s.address, StartTLS, s.roots, func(c *Config) { with(c); c.Secret = "other@1" })
		outcome, err := c.Send(t.Context(), messagetest.Message("m"))
		if outcome != message.Deferred || !fault.Is(err, fault.NotFound) || s.logins != 0 {
			t.Errorf("%s, %v; want deferred and not-found", outcome, err)
		}
	})
	t.Run("not offered", func(t *testing.T) {
		t.Parallel()
		s := scripted(t, func(c net.Conn, read func() (string, bool)) { transaction(c, read) })
		c := channel(t, s.address, Plain, nil, withPassword(t, testPassword))
		outcome, err := c.Send(t.Context(), messagetest.Message("m"))
		if outcome != message.Deferred || !fault.Is(err, fault.Misconfigured) || s.said("AUTH") || s.said("MAIL") {
			t.Errorf("%s, %v; want deferred and misconfigured", outcome, err)
		}
	})
}

func TestCancelledWhileTheServerThinks(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{})
	s := scripted(t, func(conn net.Conn, read func() (string, bool)) {
		transaction(conn, read)
		close(reached)
		read()
	})
	c := channel(t, s.address, Plain, nil, func(c *Config) { c.Timeout = time.Hour })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-reached; cancel() }()
	if outcome, err := c.Send(ctx, messagetest.Message("m")); outcome != message.Unknown || err == nil {
		t.Errorf("%s, %v; want unknown", outcome, err)
	}
}

// far is a connection whose other end is not on this machine, whatever its name said.
type far struct{ net.Conn }

func (far) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25} }

func TestPlainEndsAtTheLoopback(t *testing.T) {
	t.Parallel()
	c := channel(t, "localhost:25", Plain, nil, nil)
	if _, err := c.protect(t.Context(), far{}); !fault.Is(c.explain(err), fault.Misconfigured) {
		t.Errorf("%v, want misconfigured", err)
	}
}

func TestServerIsDown(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	_ = listener.Close()
	c := channel(t, listener.Addr().String(), StartTLS, nil, nil)
	if outcome, err := c.Send(t.Context(), messagetest.Message("m")); outcome != message.Deferred || !fault.Is(err, fault.Transient) {
		t.Errorf("%s, %v; want deferred and transient", outcome, err)
	}
}

func TestDriver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	options := message.Options{Secrets: file.New(dir+"/secrets", dir+"/key", nil)}
	from := "from=" + url.QueryEscape("Ostiary <ostiary@company.example>")
	for raw, ok := range map[string]bool{
		"smtp://mail.example:587?" + from:                                     true,
		"smtp://user%40company@mail.example:587?" + from + "&secret=password": true,
		"smtp://mail.example:465?tls=implicit&hello=us.example&" + from:       true,
		"smtp://127.0.0.1:25?tls=none&" + from:                                true,
		"smtp://[::1]:25?tls=none&" + from:                                    true,
		"smtp://localhost:25?tls=none&" + from:                                true,
		"smtp://mail.example:25?tls=none&" + from:                             false,
		"smtp://192.0.2.1:25?tls=none&" + from:                                false,
		"smtp://mail.example:587":                                             false,
		"smtp://mail.example:587?from=nobody":                                 false,
		"smtp://mail.example?" + from:                                         false,
		"smtp://mail.example:0?" + from:                                       false,
		"smtp://:587?" + from:                                                 false,
		"smtp://user:hunter2@mail.example:587?" + from + "&secret=password":   false,
		"smtp://user@mail.example:587?" + from:                                false,
		"smtp://mail.example:587?secret=password&" + from:                     false,
		"smtp://user@mail.example:587?secret=password@latest&" + from:         false,
		"smtp://mail.example:587?tls=maybe&" + from:                           false,
		"smtp://mail.example:587?starttls=yes&" + from:                        false,
		"smtp://mail.example:587?" + from + "&" + from:                        false,
		"smtp://mail.example:587/inbox?" + from:                               false,
		"smtp:mail.example":                                                   false,
	} {
		_, err := message.Drivers.Open(t.Context(), raw, options)
		if ok != (err == nil) || !ok && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
	if _, err := message.Drivers.Open(t.Context(), "smtp://u@mail.example:587?secret=password&"+from, message.Options{}); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("without a secret store: %v, want misconfigured", err)
	}
}
