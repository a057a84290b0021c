// Package outside looks at hosts over the network, as anybody could: TLS handshakes, single requests, raw bytes.
//
// It promises to reach nobody a stranger could be sent to by a name: the address a name resolves to is checked at the
// moment of connecting, so that a host cannot answer once with a public address and once with one of ours. No
// redirect is followed, no cookie kept, no credential sent but the one handed in, and that to nobody whose certificate
// is not trusted; every look is bounded in time and bytes. What it reports was said by whoever answered: a line that is
// dead, or cut before a whole answer, is an error and never an answer.
package outside

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/reach"
	"ostiary.internal/shared/trust/probe"
)

const (
	patience = 8 * time.Second // for one look
	maxBody  = 256 << 10
)

// Outside is the eye. It is safe for concurrent use.
type Outside struct {
	reach   reach.Network
	trust   *tls.Config // by which a certificate is believed
	dialer  net.Dialer
	connect func(ctx context.Context, network, address string) (net.Conn, error)
	client  *http.Client
}

// New returns an eye that reaches public addresses, or this machine, and trusts certificates that lead to roots, nil for
// those of the system. Misconfigured for any other word.
func New(to reach.Network, clk clock.Clock, roots *x509.CertPool) (*Outside, error) {
	if to != reach.Public && to != reach.Loopback {
		return nil, fault.New(fault.Misconfigured, "probes: allowed are %s and %s", reach.Public, reach.Loopback)
	}
	o := &Outside{reach: to, trust: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Time: clk.Now}}
	o.dialer = net.Dialer{Timeout: patience / mostAddresses, Control: o.guard}
	o.connect = o.dial
	o.client = &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return o.connect(ctx, network, address)
			},
			DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10, TLSHandshakeTimeout: patience, ForceAttemptHTTP2: true,
			TLSClientConfig: o.trust,
		},
	}
	return o, nil
}

// errClosed says that every address of a host was tried, and that at none of them anything listens.
var errClosed = errors.New("nothing listens")

// mostAddresses is how many addresses of a host are tried.
const mostAddresses = 4

// dial connects to a host at the first of its addresses that takes the connection.
func (o *Outside) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if o.reach == reach.Loopback && !here(address) { // nor is anybody asked about the name
		return nil, reach.ErrOutOfReach
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return nil, err
	}
	closed := len(found) > 0 && len(found) <= mostAddresses
	for _, at := range found[:min(len(found), mostAddresses)] {
		var conn net.Conn
		if conn, err = o.dialer.DialContext(ctx, network, net.JoinHostPort(at, port)); err == nil {
			return conn, nil
		}
		closed = closed && errors.Is(err, syscall.ECONNREFUSED)
	}
	if closed {
		return nil, errClosed
	}
	return nil, err
}

// here reports whether an address is this machine by its form or name (RFC 6761, section 6.3).
func here(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// guard is called with the address that is about to be connected to, whatever the name said.
func (o *Outside) guard(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !o.reach.Has(to.Addr()) {
		return reach.ErrOutOfReach
	}
	return nil
}

var versions = map[int]uint16{10: tls.VersionTLS10, 11: tls.VersionTLS11, 12: tls.VersionTLS12, 13: tls.VersionTLS13}

// Shake offers versions up to highest, as probe.Eye says.
func (o *Outside) Shake(ctx context.Context, host string, highest int) (probe.Handshake, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	plain, err := o.connect(ctx, "tcp", port(host))
	if err != nil {
		return probe.Handshake{}, unreachable(err)
	}
	defer plain.Close()
	name, _, _ := strings.Cut(host, ":")
	//nolint:gosec // old versions are offered to learn whether they are refused
	conn := tls.Client(plain, &tls.Config{ServerName: name, MinVersion: tls.VersionTLS10, MaxVersion: versions[highest], InsecureSkipVerify: true, CipherSuites: suites()})
	if err := conn.HandshakeContext(ctx); err != nil {
		if !refused(err) {
			return probe.Handshake{}, unreachable(err)
		}
		return probe.Handshake{Refused: true}, nil
	}
	state := conn.ConnectionState()
	met := probe.Handshake{}
	for number, version := range versions {
		if version == state.Version {
			met.Version = number
		}
	}
	leaf := state.PeerCertificates[0]
	met.NotAfter, met.Signature = leaf.NotAfter, leaf.SignatureAlgorithm.String()
	between := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: name, Intermediates: between, Roots: o.trust.RootCAs, CurrentTime: o.trust.Time()})
	met.Trusted = err == nil
	return met, nil
}

// refused reports whether a handshake ended with an alert by which a server turns down the versions or the ciphers it is
// offered (RFC 8446, section 6.2): anything else, a cut line above all, may come from anywhere.
func refused(err error) bool {
	remote, ok := errors.AsType[*net.OpError](err)
	if !ok || remote.Op != "remote error" {
		return false
	}
	for _, alert := range []tls.AlertError{40, 70, 71} { // handshake_failure, protocol_version, insufficient_security
		if remote.Err.Error() == alert.Error() {
			return true
		}
	}
	return false
}

// port is where a host listens for TLS.
func port(host string) string {
	if strings.Contains(host, ":") {
		return host
	}
	return net.JoinHostPort(host, "443")
}

// suites are all there are, also those a careful client would not use: a host that accepts them must be found.
func suites() []uint16 {
	var all []uint16
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		all = append(all, s.ID)
	}
	return all
}

// wanted are the headers decisions need.
var wanted = []string{"Strict-Transport-Security", "X-Content-Type-Options", "Content-Security-Policy", "X-Frame-Options"}

// Ask sends one GET, as probe.Eye says.
func (o *Outside) Ask(ctx context.Context, address, bearer string) (probe.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return probe.Answer{}, fault.New(fault.Invalid, "asking a page: its address cannot be read")
	}
	r.Header.Set("User-Agent", "ostiary-probe")
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	got, err := o.client.Do(r)
	if errors.Is(err, errClosed) {
		return probe.Answer{Closed: true}, nil
	}
	if err != nil {
		return probe.Answer{}, unreachable(err)
	}
	defer got.Body.Close()
	answer := probe.Answer{Status: got.StatusCode, Location: got.Header.Get("Location"), Header: map[string]string{}}
	for _, name := range wanted {
		answer.Header[strings.ToLower(name)] = got.Header.Get(name)
	}
	if at, err := http.ParseTime(got.Header.Get("Last-Modified")); err == nil {
		answer.Date = at
	}
	if answer.Body, err = io.ReadAll(io.LimitReader(got.Body, maxBody+1)); err != nil {
		return probe.Answer{}, unreachable(err)
	}
	if answer.Cut = len(answer.Body) > maxBody; answer.Cut {
		answer.Body = answer.Body[:maxBody]
	}
	return answer, nil
}

// Send writes raw bytes, as probe.Eye says.
func (o *Outside) Send(ctx context.Context, host string, request []byte) (probe.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	plain, err := o.connect(ctx, "tcp", port(host))
	if err != nil {
		return probe.Answer{}, unreachable(err)
	}
	defer plain.Close()
	name, _, _ := strings.Cut(host, ":")
	conn := tls.Client(plain, &tls.Config{ServerName: name, MinVersion: o.trust.MinVersion, RootCAs: o.trust.RootCAs, Time: o.trust.Time, NextProtos: []string{"http/1.1"}})
	deadline, _ := ctx.Deadline()
	if err := errors.Join(conn.HandshakeContext(ctx), conn.SetDeadline(deadline)); err != nil {
		return probe.Answer{}, unreachable(err)
	}
	if _, err := conn.Write(request); err != nil {
		return probe.Answer{}, unreachable(err)
	}
	got, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxBody)), nil)
	if err != nil {
		return probe.Answer{}, unreachable(err)
	}
	defer got.Body.Close()
	return probe.Answer{Status: got.StatusCode}, nil
}

func unreachable(err error) error {
	return fault.New(fault.Transient, "looking from outside: %w", err)
}
