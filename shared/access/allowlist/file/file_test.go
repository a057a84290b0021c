package file

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/targettest"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal/privatefile"
)

var now = time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)

type world struct{ dir string }

func newWorld(t *testing.T) targettest.World {
	return world{filepath.Join(t.TempDir(), "allow list [1]")}
}

func (w world) open(t *testing.T) *Target {
	t.Helper()
	target, err := New(w.dir, allowlist.Options{Name: "edge", Capacity: targettest.Capacity, Clock: clock.NewManual(now)})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func (w world) Open(t *testing.T) allowlist.Target { return w.open(t) }

func (w world) Dying(t *testing.T, n int) allowlist.Target {
	target := w.open(t)
	effects := 0
	target.replace = func(path string, data []byte) error {
		if effects++; effects >= n {
			// What a process killed while writing leaves behind.
			os.WriteFile(filepath.Join(w.dir, "."+filepath.Base(path)+"-123"), data[:len(data)/2], 0o600)
			return errors.New("killed")
		}
		return privatefile.Replace(path, data)
	}
	return target
}

// Admits reads each file with the eyes of its program, not with our parser.
func (w world) Admits(t *testing.T, addr netip.Addr) []bool {
	t.Helper()
	return []bool{nftAdmits(t, w.read(t, "nftables.nft"), addr), nginxAdmits(t, w.read(t, "nginx.conf"), addr)}
}

func (w world) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// nftAdmits executes the commands in order, as nft does: declare, flush, add.
func nftAdmits(t *testing.T, text string, addr netip.Addr) bool {
	sets := map[string][]netip.Prefix{"ostiary4": {netip.MustParsePrefix("0.0.0.0/0")}, "ostiary6": {netip.MustParsePrefix("::/0")}}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 5 && words[0] == "flush":
			sets[words[4]] = nil
		case len(words) == 8 && words[0] == "add":
			sets[words[4]] = append(sets[words[4]], netip.MustParsePrefix(words[6]))
		}
	}
	set := "ostiary6"
	if addr.Is4() {
		set = "ostiary4"
	}
	for _, p := range sets[set] {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// nginxAdmits takes the first rule that matches; without one nginx admits.
func nginxAdmits(t *testing.T, text string, addr netip.Addr) bool {
	for line := range strings.Lines(text) {
		words := strings.Fields(strings.TrimSuffix(strings.TrimSpace(line), ";"))
		if len(words) != 2 || words[0] == "#" {
			continue
		}
		if words[1] == "all" || netip.MustParsePrefix(words[1]).Contains(addr) {
			return words[0] == "allow"
		}
	}
	return true
}

func (w world) Foreign(t *testing.T, p netip.Prefix) {
	t.Helper()
	conf := "allow " + p.String() + ";\n" + w.read(t, "nginx.conf")
	if err := os.WriteFile(filepath.Join(w.dir, "nginx.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (world) Atomic() bool { return true }

func TestTarget(t *testing.T) {
	t.Parallel()
	targettest.Run(t, newWorld)
}

func TestEmptyFilesShutTheDoor(t *testing.T) {
	t.Parallel()
	w := world{t.TempDir()}
	target := w.open(t)
	seen, err := target.Read(t.Context())
	if err != nil || seen.Torn != "never written" {
		t.Fatalf("an empty folder reads as %+v, %v", seen, err)
	}
	if err := target.Apply(t.Context(), allowlist.Set{}, allowlist.Write{Fence: 1, Etag: seen.Etag}); err != nil {
		t.Fatal(err)
	}
	var rules []string
	for line := range strings.Lines(w.read(t, "nginx.conf")) {
		if !strings.HasPrefix(line, "#") {
			rules = append(rules, line)
		}
	}
	if len(rules) != 1 || rules[0] != "deny all;\n" {
		t.Errorf("nginx.conf of an empty list: %q", rules)
	}
	if text := w.read(t, "nftables.nft"); strings.Contains(text, "add element") || !strings.Contains(text, "flush set inet ostiary ostiary4\nflush set inet ostiary ostiary6\n") {
		t.Errorf("nftables.nft of an empty list: %s", text)
	}
	if text := w.read(t, "allowlist.json"); !strings.Contains(text, `"entries": []`) {
		t.Errorf("allowlist.json of an empty list: %s", text)
	}
}

// TestEveryEditIsSeen changes each file in ways a person or a program might and expects the folder to read as torn.
func TestEveryEditIsSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, old, new string }{
		{"longer until", "allowlist.json", "T23:00:00Z", "T23:30:00Z"},
		{"another prefix", "allowlist.json", "81.2.69.142/32", "81.2.69.143/32"},
		{"unknown key", "allowlist.json", `"v": 1,`, `"v": 1, "x": 1,`},
		{"second document", "allowlist.json", "\n}\n", "\n}\n{}\n"},
		{"other fence", "allowlist.json", `"fence": 1`, `"fence": 2`},
		{"accept all in nginx", "nginx.conf", "deny all;", "allow all;"},
		{"a line before deny", "nginx.conf", "deny all;", "include x;\ndeny all;"},
		{"a wider prefix", "nginx.conf", "allow 81.2.69.142/32;", "allow 81.2.69.0/24;"},
		{"everyone", "nginx.conf", "allow 81.2.69.142/32;", "allow 0.0.0.0/0;"},
		{"missing line", "nginx.conf", "allow 81.2.69.142/32;\n", ""},
		{"no flush", "nftables.nft", "flush set inet ostiary ostiary4\n", ""},
		{"wrong set", "nftables.nft", "ostiary4 { 81", "ostiary6 { 81"},
		{"another chain", "nftables.nft", "flush set inet ostiary ostiary6\n", "flush set inet ostiary ostiary6\nflush ruleset\n"},
		{"older version", "nftables.nft", "version=1", "version=0"},
		{"emptied", "nftables.nft", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := world{t.TempDir()}
			target := w.open(t)
			set := targettest.Make("81.2.69.142/32", "2a02:8109:9340:1234::/64")
			seen, _ := target.Read(t.Context())
			if err := target.Apply(t.Context(), set, allowlist.Write{Fence: 1, Etag: seen.Etag}); err != nil {
				t.Fatal(err)
			}
			text := w.read(t, c.file)
			edited := strings.Replace(text, c.old, c.new, 1)
			if c.old == "" {
				edited = ""
			}
			if edited == text {
				t.Fatalf("the edit changes nothing in %s", text)
			}
			if err := os.WriteFile(filepath.Join(w.dir, c.file), []byte(edited), 0o600); err != nil {
				t.Fatal(err)
			}
			if seen, err := target.Read(t.Context()); err != nil || seen.Torn == "" {
				t.Errorf("reads as %+v, %v; want torn", seen, err)
			}
		})
	}
}

func TestNoPersonalData(t *testing.T) {
	t.Parallel()
	d := newDocument(targettest.Make("81.2.69.142/32"), 1, 1, now)
	truth, err := renderJSON(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{truth, renderNFT(d), renderNginx(d)} {
		if bytes.Contains(data, []byte("ana")) || bytes.Contains(data, []byte("lease-of")) {
			t.Errorf("names a person or a lease: %s", data)
		}
	}
}

// TestDeadWritersFenceCounts: a writer that died after its first file has left its fence there.
func TestDeadWritersFenceCounts(t *testing.T) {
	t.Parallel()
	w := world{t.TempDir()}
	set := targettest.Make("81.2.69.142/32")
	apply := func(target allowlist.Target, fence int64) error {
		seen, err := target.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return target.Apply(t.Context(), set, allowlist.Write{Fence: fence, Etag: seen.Etag})
	}
	if err := apply(w.open(t), 1); err != nil {
		t.Fatal(err)
	}
	if err := apply(w.Dying(t, 2), 9); err == nil {
		t.Fatal("the dying writer reports success")
	}
	if err := apply(w.open(t), 8); !fault.Is(err, fault.Conflict) {
		t.Errorf("an older writer after it: %v, want a conflict", err)
	}
	if err := apply(w.open(t), 9); err != nil {
		t.Error(err)
	}
}

func TestStraysAreSwept(t *testing.T) {
	t.Parallel()
	w := world{t.TempDir()}
	stray := filepath.Join(w.dir, ".nginx.conf-99")
	if err := os.WriteFile(stray, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	target := w.open(t)
	seen, _ := target.Read(t.Context())
	if err := target.Apply(t.Context(), allowlist.Set{}, allowlist.Write{Etag: seen.Etag}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stray); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the stray is still there: %v", err)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, err := allowlist.Targets.Open(t.Context(), driver.URL("file", dir), allowlist.Options{Name: "edge"})
	if err != nil {
		t.Fatal(err)
	}
	if target.Name() != "edge" || target.Limits().Capacity != DefaultCapacity {
		t.Errorf("opened %q with %+v", target.Name(), target.Limits())
	}
	if _, err := allowlist.Targets.Open(t.Context(), "file:", allowlist.Options{}); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a URL without a folder: %v", err)
	}
	if _, err := New(dir, allowlist.Options{Capacity: -1}); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a negative capacity: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := target.Read(ctx); err == nil {
		t.Error("a cancelled read reports success")
	}
}
