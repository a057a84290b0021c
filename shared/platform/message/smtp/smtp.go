// Package smtp sends mail to one submission server (RFC 6409) over verified TLS: by STARTTLS (RFC 3207) or from the
// first byte (RFC 8314). Without TLS it speaks to the loopback alone. Each Send is one connection and one recipient;
// it never repeats by itself, and says Unknown when the connection broke between the final dot and its reply.
//
// The Message-ID of a message is the same at every try. It does not tell what became of one whose outcome is unknown: SMTP
// has no question for that. It is what a person who finds out searches the server's log or the recipient's mailbox for, and
// what lets some servers keep one of two.
//
// It signs nothing (DKIM is the server's work) and reads no bounces.
package smtp

import (
	"cmp"
	"context"
	"crypto/x509"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/secret"
)

// Security says how the connection is protected.
type Security string

const (
	StartTLS Security = "starttls" // the default: refuse a server that does not offer it
	Implicit Security = "implicit" // TLS from the first byte
	Plain    Security = "none"     // refused but for loopback addresses
)

// DefaultTimeout ends one Send. It is less than message.SendTimeout: whoever waits for a Send hears its outcome.
const DefaultTimeout = 110 * time.Second

// commandTimeout ends the wait for one reply, but for the reply to the content.
const commandTimeout = 30 * time.Second

func init() {
	message.Drivers.Register("smtp", func(_ context.Context, u *url.URL, o message.Options) (message.Channel, error) {
		config, err := readURL(u)
		if err != nil {
			return nil, err
		}
		config.Secrets = o.Secrets
		return New(config)
	})
}

// Config says where mail goes. The zero values of Security, Roots, Hello and Timeout are the defaults.
type Config struct {
	Address  string       // HOST:PORT
	From     mail.Address // sender of every message, also in the envelope
	User     string       // with Secret: AUTH PLAIN (RFC 4616); empty: none
	Secret   string       // reference of the password in Secrets, read anew for each message
	Secrets  secret.Store
	Security Security
	Roots    *x509.CertPool // who may have issued the server's certificate; nil: the system's
	Hello    string         // our name in EHLO
	Timeout  time.Duration
}

// Channel sends mail. It holds no connection between messages.
type Channel struct {
	Config
	host   string
	domain string // of From: the right side of a Message-ID
}

// New returns a channel. Misconfigured when the settings do not fit together; nothing is connected.
func New(c Config) (*Channel, error) {
	refuse := func(what string) (*Channel, error) { return nil, fault.New(fault.Misconfigured, "smtp: %s", what) }
	host, port, err := net.SplitHostPort(c.Address)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || host == "" || bad != nil || n == 0 {
		return refuse("the server is not HOST:PORT")
	}
	_, domain, _ := strings.Cut(c.From.Address, "@")
	if address, err := recipient(c.From.Address); err != nil || address == "" || domain == "" {
		return refuse("the sender's address (from) is missing or malformed")
	}
	if strings.ContainsAny(c.From.Name, "\r\n") {
		return refuse("the sender's name is not one line")
	}
	c.Security, c.Timeout, c.Hello = cmp.Or(c.Security, StartTLS), cmp.Or(c.Timeout, DefaultTimeout), cmp.Or(c.Hello, "localhost")
	switch {
	case c.Security != StartTLS && c.Security != Implicit && c.Security != Plain:
		return refuse("tls is one of starttls, implicit, none")
	case c.Security == Plain && !loopbackName(host):
		return refuse("tls=none is for loopback addresses alone")
	case (c.User == "") != (c.Secret == ""):
		return refuse("a user wants a secret, and a secret a user")
	case c.Secret != "" && c.Secrets == nil:
		return refuse("the password is a secret, and no secret store is configured")
	}
	if c.Secret != "" {
		if _, _, err := secret.Parse(c.Secret); err != nil {
			return nil, err
		}
	}
	return &Channel{Config: c, host: host, domain: domain}, nil
}

// readURL reads smtp://USER@HOST:PORT?from=ADDRESS&secret=NAME&tls=starttls|implicit|none&hello=NAME.
func readURL(u *url.URL) (Config, error) {
	refuse := func(what string) (Config, error) { return Config{}, fault.New(fault.Misconfigured, "smtp: %s", what) }
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil || u.Opaque != "" || strings.Trim(u.Path, "/") != "" {
		return refuse("want smtp://USER@HOST:PORT?from=ADDRESS&secret=NAME&tls=starttls|implicit|none&hello=NAME")
	}
	if _, inURL := u.User.Password(); inURL {
		return refuse("a password does not belong in a URL; name a secret")
	}
	c := Config{Address: u.Host, User: u.User.Username()}
	for name, given := range options {
		if len(given) != 1 {
			return refuse("an option is given twice")
		}
		switch value := given[0]; name {
		case "from":
			from, err := mail.ParseAddress(value)
			if err != nil {
				return refuse("the sender's address (from) is malformed")
			}
			c.From = *from
		case "secret":
			c.Secret = value
		case "tls":
			c.Security = Security(value)
		case "hello":
			c.Hello = value
		default:
			return refuse("the options are from, secret, tls and hello")
		}
	}
	return c, nil
}

// Close does nothing: no connection outlives a Send.
func (c *Channel) Close() error { return nil }

func loopbackName(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
