package file

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"testing"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/targettest"
	"ostiary.internal/shared/platform/require"
)

const writerFolder = "OSTIARY_TEST_WRITER_FOLDER"

var (
	odd  = targettest.Make("81.2.69.142/32", "2a02:8109:9340:1234::/64")
	even = targettest.Make("81.2.69.150/32", "92.40.1.7/32", "2a02:8109:9340:9999::/64")
)

// TestKilledWriter kills a real process in the middle of its writes. Each file must then be whole and one of the two
// lists, and the next writer must make it good.
func TestKilledWriter(t *testing.T) {
	if dir := os.Getenv(writerFolder); dir != "" {
		writeForEver(t, world{dir})
	}
	t.Parallel()
	for n := range require.Seeds(3) {
		w := world{t.TempDir()}
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWriter$")
		cmd.Env = append(os.Environ(), writerFolder+"="+w.dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 5 + n { // the kill falls into the write that follows
			if !lines.Scan() {
				t.Fatal("the writer ended")
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		checkWhole(t, w)
		target := w.open(t)
		seen, err := target.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := target.Apply(t.Context(), odd, allowlist.Write{Fence: seen.Fence, Etag: seen.Etag}); err != nil {
			t.Fatal(err)
		}
		if seen, err = target.Read(t.Context()); err != nil || !seen.Holds(odd) {
			t.Fatalf("after the repair: %+v, %v", seen, err)
		}
	}
}

func writeForEver(t *testing.T, w world) {
	target := w.open(t)
	for i := int64(1); ; i++ {
		seen, err := target.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		set := odd
		if i%2 == 0 {
			set = even
		}
		if err := target.Apply(t.Context(), set, allowlist.Write{Fence: i, Etag: seen.Etag}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("applied", i)
	}
}

func checkWhole(t *testing.T, w world) {
	t.Helper()
	nft, err := parseNFT([]byte(w.read(t, "nftables.nft")))
	if err != nil {
		t.Fatalf("nftables.nft: %v", err)
	}
	nginx, err := parseNginx([]byte(w.read(t, "nginx.conf")))
	if err != nil {
		t.Fatalf("nginx.conf: %v", err)
	}
	truth, err := parseJSON([]byte(w.read(t, "allowlist.json")))
	if err != nil {
		t.Fatalf("allowlist.json: %v", err)
	}
	for _, prefixes := range [][]netip.Prefix{nft.prefixes, nginx.prefixes, truth.prefixes()} {
		if !slices.Equal(prefixes, odd.Prefixes()) && !slices.Equal(prefixes, even.Prefixes()) {
			t.Fatalf("a file holds %v, which nobody applied", prefixes)
		}
	}
	if nft.Version < truth.Version || nginx.Version < truth.Version || nft.Version < nginx.Version {
		t.Fatalf("versions %d, %d, %d: the truth is ahead of a rendering", nft.Version, nginx.Version, truth.Version)
	}
}
