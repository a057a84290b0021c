package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

// Send hands one message to the server. A refusal for good (5yz, RFC 5321 section 4.2.1) of the sender, recipient or
// content is Failed. What goes wrong before that concerns us and not the message, and is Deferred even when a person
// must mend it: the error is then Misconfigured. Unknown is a connection that ended after the final dot was under way.
func (c *Channel) Send(ctx context.Context, m message.Message) (message.Outcome, error) {
	to, content, err := c.compose(m)
	if err != nil {
		return message.Failed, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	client, err := c.connect(ctx)
	if err != nil {
		return message.Deferred, err
	}
	defer client.Close()
	if state, protected := client.TLSConnectionState(); protected {
		message.WireOf(ctx).Protected(state)
	} else {
		message.WireOf(ctx).TLS = message.Plain
	}
	// The client knows no context: closing the connection is how it learns that time is up.
	defer context.AfterFunc(ctx, func() { client.Close() })()
	if err := c.login(ctx, client); err != nil {
		return message.Deferred, err
	}
	return submit(client, c.From.Address, to, content)
}

// submit runs one mail transaction (RFC 5321 section 3.3).
func submit(client *gosmtp.Client, from, to string, content []byte) (message.Outcome, error) {
	if err := client.Mail(from, nil); err != nil {
		return judge("the sender", err)
	}
	if err := client.Rcpt(to, nil); err != nil {
		return judge("the recipient", err)
	}
	data, err := client.Data()
	if err != nil {
		return judge("the content", err)
	}
	if _, err := data.Write(content); err != nil {
		return judge("the content", err) // without the final dot the server has no message
	}
	if _, err := data.CloseWithResponse(); err != nil {
		outcome, why := judge("the content", err)
		// Only 4yz and 5yz say that the server does not have it.
		if reply, ok := errors.AsType[*gosmtp.SMTPError](err); !ok || reply.Code < 400 || reply.Code > 599 {
			outcome = message.Unknown
		}
		return outcome, why
	}
	_ = client.Quit() // the message is theirs already, whatever becomes of the farewell
	return message.Accepted, nil
}

// judge turns an error of the transaction into an outcome. Of the reply it keeps the codes: the words may quote the
// recipient.
func judge(what string, err error) (message.Outcome, error) {
	reply, ok := errors.AsType[*gosmtp.SMTPError](err)
	switch {
	case !ok:
		return message.Deferred, fault.New(fault.Transient, "sending %s: %w", what, withoutWords(err))
	case reply.Code >= 500 && reply.Code <= 599:
		return message.Failed, fault.New(fault.Invalid, "sending %s: refused with %s", what, codesOf(reply))
	}
	return message.Deferred, fault.New(fault.Transient, "sending %s: put off with %s", what, codesOf(reply))
}

func codesOf(reply *gosmtp.SMTPError) string {
	if e := reply.EnhancedCode; e[0] > 0 {
		return fmt.Sprintf("%d %d.%d.%d", reply.Code, e[0], e[1], e[2])
	}
	return fmt.Sprint(reply.Code)
}

// withoutWords keeps what the network said, and drops what the peer said: a malformed reply may hold anything.
func withoutWords(err error) error {
	if _, ok := errors.AsType[net.Error](err); ok {
		return err
	}
	return errors.New("the connection ended, or the reply was none")
}

// connect dials, protects the connection and says hello.
func (c *Channel) connect(ctx context.Context) (*gosmtp.Client, error) {
	conn, err := (&net.Dialer{Timeout: commandTimeout}).DialContext(ctx, "tcp", c.Address)
	if err != nil {
		return nil, fault.New(fault.Transient, "connecting to mail server %s: %w", c.Address, err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	client, err := c.protect(ctx, conn)
	if err != nil {
		conn.Close()
		return nil, c.explain(err)
	}
	client.CommandTimeout, client.SubmissionTimeout = commandTimeout, c.Timeout
	if err := client.Hello(c.Hello); err != nil {
		client.Close()
		return nil, c.explain(err)
	}
	return client, nil
}

var (
	errOpenWire   = errors.New("tls=none, and the server is not on this machine")
	errNoStartTLS = errors.New("it offers no STARTTLS")
)

func (c *Channel) protect(ctx context.Context, conn net.Conn) (*gosmtp.Client, error) {
	config := &tls.Config{ServerName: c.host, RootCAs: c.Roots, MinVersion: tls.VersionTLS12}
	switch c.Security {
	case Implicit:
		secured := tls.Client(conn, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		return gosmtp.NewClient(secured), nil
	case Plain:
		// The name was checked; what it resolved to counts.
		if peer, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || !peer.IP.IsLoopback() {
			return nil, errOpenWire
		}
		return gosmtp.NewClient(conn), nil
	}
	client, err := gosmtp.NewClientStartTLS(conn, config)
	if err != nil && !fromPeer(err) {
		return nil, errNoStartTLS // the client's own words, and the only ones it has here
	}
	return client, err
}

// fromPeer reports whether err is a reply of the server or the end of the connection.
func fromPeer(err error) bool {
	_, reply := errors.AsType[*gosmtp.SMTPError](err)
	_, network := errors.AsType[net.Error](err)
	_, malformed := errors.AsType[textproto.ProtocolError](err)
	return reply || network || malformed || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func (c *Channel) login(ctx context.Context, client *gosmtp.Client) error {
	if c.User == "" {
		return nil
	}
	if !client.SupportsAuth(sasl.Plain) {
		return fault.New(fault.Misconfigured, "mail server %s offers no AUTH PLAIN", c.Address)
	}
	password, err := c.Secrets.Get(ctx, c.Secret)
	if err != nil {
		return fmt.Errorf("reading the password for mail server %s: %w", c.Address, err)
	}
	defer clear(password)
	if err := client.Auth(sasl.NewPlainClient("", c.User, string(password))); err != nil {
		return c.explain(err)
	}
	return nil
}

// explain tells a server that cannot be used now from one that a person must look at.
func (c *Channel) explain(err error) error {
	doing := "greeting mail server " + c.Address
	if reply, ok := errors.AsType[*gosmtp.SMTPError](err); ok {
		kind := fault.Transient
		if reply.Code >= 500 {
			kind = fault.Misconfigured
		}
		return fault.New(kind, "%s: refused with %s", doing, codesOf(reply))
	}
	if bad, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fault.New(fault.Misconfigured, "%s: %w", doing, bad)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return fault.New(fault.Misconfigured, "%s: it speaks no TLS here", doing)
	}
	if errors.Is(err, errOpenWire) || errors.Is(err, errNoStartTLS) {
		return fault.New(fault.Misconfigured, "%s: %w", doing, err)
	}
	return fault.New(fault.Transient, "%s: %w", doing, withoutWords(err))
}
