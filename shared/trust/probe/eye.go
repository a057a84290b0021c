package probe

import (
	"context"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Eye is what looks. Each method makes at most one connection, bounded in time and bytes, to a host the policy names,
// and follows nobody. An error means that nothing was seen: the line was dead or cut, or whoever answered could not show
// a trusted certificate for the host's name.
type Eye interface {
	// Shake offers TLS versions up to highest (1.0 to 1.3 as 10 to 13) to a host, at port 443 unless it names another.
	// Refused: it said so, by an alert. Whether it is the host itself is told by Trusted.
	Shake(ctx context.Context, host string, highest int) (Handshake, error)
	// Ask sends one GET and reads up to 256 KiB of the answer. Closed: at every address of the host nothing listens.
	Ask(ctx context.Context, address string, bearer string) (Answer, error)
	// Send writes bytes to a host, under TLS that is trusted, and reads the status of the answer.
	Send(ctx context.Context, host string, request []byte) (Answer, error)
}

// Handshake is how a host meets a TLS client.
type Handshake struct {
	Refused   bool
	Version   int       // agreed on, 10 to 13
	Trusted   bool      // the chain leads to a known root, and the name is the host's
	NotAfter  time.Time // of the leaf
	Signature string    // of the leaf, such as SHA256-RSA
}

// Answer is an answer over HTTP.
type Answer struct {
	Closed   bool
	Status   int
	Location string
	Header   map[string]string // by lower-case name: the ones decisions need
	Body     []byte
	Cut      bool      // there is more than Body
	Date     time.Time // Last-Modified, zero when not told
}

// Sight is what was seen of one target. It is stored.
type Sight struct {
	Seen   bool   `json:"seen"`             // false: nothing can be said
	Good   bool   `json:"good"`             // what every promise of the probe needs
	Value  int64  `json:"value,omitempty"`  // the number promises have limits for
	Word   string `json:"word,omitempty"`   // the word promises have params for
	Detail string `json:"detail,omitempty"` // a word: what stood out, for the record
	// Found are the promises whose sentence stands on the page.
	Found []string `json:"found,omitempty"`
}

func unseen(why string) Sight { return Sight{Detail: why} }

// isHost reports whether text is a host's name, a dotted one or localhost, and no address.
func isHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil || len(text) > 253 || !strings.Contains(text, ".") && text != "localhost" {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
	}
	return true
}

// address reads the address of a page: https, a host's name, no user, no fragment.
func address(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Fragment != "" || u.Opaque != "" || !isTarget(u.Host) {
		return nil, false
	}
	return u, true
}

// isTarget reports whether text is a host's name, with a port or without.
func isTarget(text string) bool {
	host, port, found := strings.Cut(text, ":")
	n, err := strconv.ParseUint(port, 10, 16)
	return isHost(host) && (!found || err == nil && n > 0)
}
