package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/access/address"
)

// rendering is what one of the two text files says.
type rendering struct {
	version
	prefixes []netip.Prefix
}

// parseJSON reads allowlist.json. Its digest must fit its entries: an edit by hand is an error.
func parseJSON(data []byte) (document, error) {
	var d document
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return document{}, fmt.Errorf("not our JSON: %w", err)
	}
	if dec.More() || d.V != 1 || d.Version < 1 {
		return document{}, errors.New("not a version we write")
	}
	if d.Digest != digest(d.Entries) {
		return document{}, errors.New("digest does not fit the entries")
	}
	return d, checkOrder(d.prefixes())
}

// parseNFT reads nftables.nft, and nothing but what we write: a line of another hand is an error.
func parseNFT(data []byte) (rendering, error) {
	body, r, err := parseHead(data, nftTitle)
	if err != nil {
		return rendering{}, err
	}
	body, ok := strings.CutPrefix(body, nftBody)
	if !ok {
		return rendering{}, errors.New("the sets are not declared and flushed as we do")
	}
	for line := range strings.Lines(body) {
		text, ok := between(line, "add element inet ostiary ostiary", " }\n")
		if !ok || len(text) < len("4 { ") {
			return rendering{}, errors.New("a line is not ours")
		}
		p, err := address.Parse(text[len("4 { "):])
		if err != nil || text[:len("4 { ")] != nftSet(p)[len("ostiary"):]+" { " {
			return rendering{}, errors.New("a line holds no prefix of its set")
		}
		r.prefixes = append(r.prefixes, p)
	}
	return r, checkOrder(r.prefixes)
}

// parseNginx reads nginx.conf in the same strictness. What does not end in "deny all;" would admit everybody.
func parseNginx(data []byte) (rendering, error) {
	body, r, err := parseHead(data, nginxTitle)
	if err != nil {
		return rendering{}, err
	}
	body, ok := strings.CutSuffix(body, nginxEnd)
	if !ok {
		return rendering{}, errors.New(`the last line is not "deny all;"`)
	}
	for line := range strings.Lines(body) {
		text, ok := between(line, "allow ", ";\n")
		if !ok {
			return rendering{}, errors.New("a line is not ours")
		}
		p, err := address.Parse(text)
		if err != nil {
			return rendering{}, errors.New("a line holds no prefix")
		}
		r.prefixes = append(r.prefixes, p)
	}
	return r, checkOrder(r.prefixes)
}

func parseHead(data []byte, title string) (body string, r rendering, err error) {
	text, ok := strings.CutPrefix(string(data), title)
	if !ok {
		return "", r, errors.New("the first line is not ours")
	}
	line, body, ok := strings.Cut(text, "\n")
	var generated string
	_, scanErr := fmt.Sscanf(line, "# version=%d fence=%d digest=%s generated=%s", &r.Version, &r.Fence, &r.Digest, &generated)
	if !ok || scanErr != nil {
		return "", r, errors.New("the second line names no version")
	}
	if r.Generated, err = time.Parse(time.RFC3339Nano, generated); err != nil || r.head() != line+"\n" {
		return "", r, errors.New("the second line is not as we write it")
	}
	return body, r, nil
}

func between(line, before, after string) (string, bool) {
	text, head := strings.CutPrefix(line, before)
	text, tail := strings.CutSuffix(text, after)
	return text, head && tail
}

func checkOrder(prefixes []netip.Prefix) error {
	for i, p := range prefixes {
		if err := address.CheckWidth(p); err != nil {
			return err
		}
		if i > 0 && prefixes[i-1].Compare(p) >= 0 {
			return errors.New("prefixes are out of order or there twice")
		}
	}
	return nil
}

// agree says whether a rendering was made from the document.
func (r rendering) agree(d document) bool {
	return r.version == d.version && slices.Equal(r.prefixes, d.prefixes())
}
