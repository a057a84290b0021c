package file

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"ostiary.internal/shared/access/allowlist"
)

// version is what each of the three files begins with: it tells which of them belong together.
type version struct {
	Version   int64     `json:"version"` // one more at each Apply
	Fence     int64     `json:"fence"`
	Digest    string    `json:"digest"` // of the entries below it
	Generated time.Time `json:"generated"`
}

// document is allowlist.json: the truth for reading back, without personal data.
type document struct {
	V int `json:"v"`
	version
	Set     string  `json:"set"` // digest of the set it was made from, holders included
	Entries []entry `json:"entries"`
}

type entry struct {
	Prefix  netip.Prefix `json:"prefix"`
	Until   time.Time    `json:"until"`
	Holders int          `json:"holders"`
	Fixed   bool         `json:"fixed,omitempty"`
}

func newDocument(s allowlist.Set, number, fence int64, now time.Time) document {
	d := document{V: 1, Set: s.Digest(), Entries: []entry{}}
	for _, e := range s.Entries() {
		d.Entries = append(d.Entries, entry{Prefix: e.Prefix, Until: e.Until.UTC(), Holders: len(e.Holders), Fixed: e.Site != ""})
	}
	d.version = version{Version: number, Fence: fence, Digest: digest(d.Entries), Generated: now.UTC()}
	return d
}

func digest(entries []entry) string {
	h := sha256.New()
	for _, e := range entries {
		fmt.Fprintf(h, "%s %d %d %t\n", e.Prefix, e.Until.UnixMicro(), e.Holders, e.Fixed)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

func (d document) prefixes() []netip.Prefix {
	prefixes := make([]netip.Prefix, 0, len(d.Entries))
	for _, e := range d.Entries {
		prefixes = append(prefixes, e.Prefix)
	}
	return prefixes
}

func renderJSON(d document) ([]byte, error) {
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the allow-list: %w", err)
	}
	return append(data, '\n'), nil
}

// head is the second line of both renderings.
func (v version) head() string {
	return fmt.Sprintf("# version=%d fence=%d digest=%s generated=%s\n", v.Version, v.Fence, v.Digest, v.Generated.Format(time.RFC3339Nano))
}

const (
	nftTitle   = "# ostiary allow-list, generated. Load with: nft -f FILE. Your chain says: ip saddr @ostiary4 accept; ip6 saddr @ostiary6 accept\n"
	nginxTitle = "# ostiary allow-list, generated. Use inside a server or location: include FILE;\n"
	// The declaration changes nothing where the sets exist; all of a file loaded by nft is one transaction, so the
	// flush is never seen alone.
	nftBody = `table inet ostiary {
	set ostiary4 { type ipv4_addr; flags interval; auto-merge; }
	set ostiary6 { type ipv6_addr; flags interval; auto-merge; }
}
flush set inet ostiary ostiary4
flush set inet ostiary ostiary6
`
	nginxEnd = "deny all;\n"
)

func renderNFT(d document) []byte {
	var b bytes.Buffer
	b.WriteString(nftTitle + d.head() + nftBody)
	for _, p := range d.prefixes() {
		fmt.Fprintf(&b, "add element inet ostiary %s { %s }\n", nftSet(p), p)
	}
	return b.Bytes()
}

func nftSet(p netip.Prefix) string {
	if p.Addr().Is4() {
		return "ostiary4"
	}
	return "ostiary6"
}

func renderNginx(d document) []byte {
	var b bytes.Buffer
	b.WriteString(nginxTitle + d.head())
	for _, p := range d.prefixes() {
		fmt.Fprintf(&b, "allow %s;\n", p)
	}
	b.WriteString(nginxEnd)
	return b.Bytes()
}
