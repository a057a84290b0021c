// Package file enforces the allow-list through one folder: allowlist.json for programs, nftables.nft for a packet
// filter, nginx.conf for a proxy. It promises that each file is at every moment wholly the old list or wholly the new
// one, that all three name the same version once Apply returned, and that nothing in them names a person. It does not
// load the files into nft or nginx; whoever does watches the folder.
package file

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal/privatefile"
)

func init() { allowlist.Targets.Register("file", open) }

// The files, in the order in which they are written: those that open doors first, the one that is read back last. So
// the truth never names a version that a reader of another file could still be missing.
var names = [3]string{"nftables.nft", "nginx.conf", "allowlist.json"}

// DefaultCapacity is the number of entries when the policy declares none.
const DefaultCapacity = 5000

// Target is a folder. It is safe for concurrent use, by several processes too.
type Target struct {
	name    string
	dir     string
	limits  allowlist.Limits
	clock   clock.Clock
	replace func(path string, data []byte) error
}

var _ allowlist.Target = (*Target)(nil)

func open(_ context.Context, u *url.URL, o allowlist.Options) (allowlist.Target, error) {
	dir, _, err := driver.Path(u)
	if err != nil {
		return nil, err
	}
	return New(dir, o)
}

// New returns the target in dir, which is made at the first Apply. Misconfigured: a negative capacity.
func New(dir string, o allowlist.Options) (*Target, error) {
	if o.Capacity < 0 {
		return nil, fault.New(fault.Misconfigured, "opening allow-list folder: capacity %d", o.Capacity)
	}
	if o.Capacity == 0 {
		o.Capacity = DefaultCapacity
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	return &Target{name: o.Name, dir: dir, limits: allowlist.Limits{Capacity: o.Capacity}, clock: o.Clock,
		replace: privatefile.Replace}, nil
}

// Name implements allowlist.Target.
func (t *Target) Name() string { return t.name }

// Limits implements allowlist.Target.
func (t *Target) Limits() allowlist.Limits { return t.limits }

// Read implements allowlist.Target. It parses all three files and compares them.
func (t *Target) Read(ctx context.Context) (allowlist.Observed, error) {
	if err := ctx.Err(); err != nil {
		return allowlist.Observed{}, err
	}
	unlock, err := privatefile.Lock(t.path("allowlist"))
	if err != nil {
		return allowlist.Observed{}, err
	}
	defer unlock()
	o, _, err := t.read()
	return o, err
}

// Apply implements allowlist.Target.
func (t *Target) Apply(ctx context.Context, s allowlist.Set, w allowlist.Write) error {
	if err := s.Check(t.limits); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	unlock, err := privatefile.Lock(t.path("allowlist"))
	if err != nil {
		return err
	}
	defer unlock()
	t.sweep()
	seen, was, err := t.read()
	if err != nil {
		return err
	}
	if seen.Fence > w.Fence {
		return fault.New(fault.Conflict, "applying to folder %s: fence %d is older than %d", t.name, w.Fence, seen.Fence)
	}
	if seen.Etag != w.Etag {
		return fault.New(fault.Conflict, "applying to folder %s: changed since it was read", t.name)
	}
	return t.write(newDocument(s, was.Version+1, w.Fence, t.clock.Now()))
}

// Remove implements allowlist.Target. The files are written anew from allowlist.json: what another hand put in goes too, and
// where nothing of it can be told the door is shut.
func (t *Target) Remove(ctx context.Context, gone []netip.Prefix) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	unlock, err := privatefile.Lock(t.path("allowlist"))
	if err != nil {
		return err
	}
	defer unlock()
	t.sweep()
	seen, d, err := t.read()
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(append([]entry{}, d.Entries...), func(e entry) bool { return slices.Contains(gone, e.Prefix) })
	if seen.Torn == "" && len(left) == len(d.Entries) {
		return nil
	}
	d.V, d.Set, d.Entries = 1, "", left
	d.version = version{Version: d.Version + 1, Fence: seen.Fence, Digest: digest(left), Generated: t.clock.Now().UTC()}
	return t.write(d)
}

func (t *Target) write(d document) error {
	truth, err := renderJSON(d)
	if err != nil {
		return err
	}
	for i, data := range [3][]byte{renderNFT(d), renderNginx(d), truth} {
		if err := t.replace(t.path(names[i]), data); err != nil {
			return fmt.Errorf("writing %s of %s: %w", names[i], t.name, err)
		}
	}
	return nil
}

// read returns what the folder holds, and its document under the highest version number found in any file.
func (t *Target) read() (allowlist.Observed, document, error) {
	var data [3][]byte
	h := sha256.New()
	for i, name := range names {
		var err error
		data[i], err = os.ReadFile(t.path(name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return allowlist.Observed{}, document{}, fault.New(fault.Misconfigured, "reading %s of %s: %w", name, t.name, err)
		}
		fmt.Fprintf(h, "%d %t ", len(data[i]), err == nil)
		h.Write(data[i])
	}
	o := allowlist.Observed{Etag: hex.EncodeToString(h.Sum(nil))}
	nft, nftErr := parseNFT(data[0])
	nginx, nginxErr := parseNginx(data[1])
	d, truthErr := parseJSON(data[2])
	o.Prefixes, o.Digest = d.prefixes(), d.Set
	// A writer killed between two files has left its fence in the first: an older one must not follow it.
	o.Fence = max(d.Fence, nft.Fence, nginx.Fence)
	switch {
	case len(data[0])+len(data[1])+len(data[2]) == 0:
		o.Torn = "never written"
	case truthErr != nil:
		o.Torn = "allowlist.json: " + truthErr.Error()
	case nftErr != nil:
		o.Torn = "nftables.nft: " + nftErr.Error()
	case nginxErr != nil:
		o.Torn = "nginx.conf: " + nginxErr.Error()
	case !nft.agree(d) || !nginx.agree(d):
		o.Torn = "the files are of different versions"
	}
	d.Version = max(d.Version, nft.Version, nginx.Version)
	return o, d, nil
}

// sweep removes what a killed writer left half written. The caller holds the lock.
func (t *Target) sweep() {
	found, err := os.ReadDir(t.dir)
	if err != nil {
		return // the write that follows says what is wrong with the folder
	}
	for _, f := range found {
		for _, name := range names {
			if strings.HasPrefix(f.Name(), "."+name+"-") {
				os.Remove(t.path(f.Name()))
			}
		}
	}
}

func (t *Target) path(name string) string { return filepath.Join(t.dir, name) }
