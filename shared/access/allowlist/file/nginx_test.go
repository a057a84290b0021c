package file

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/targettest"
	"ostiary.internal/shared/platform/require"
)

// TestRealNginx includes nginx.conf in a real nginx and knocks from several addresses.
func TestRealNginx(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/nginx")
	}
	require.Tool(t, "nginx", err == nil)
	w := world{t.TempDir()}
	target := w.open(t)
	apply := func(fence int64, s allowlist.Set) {
		t.Helper()
		seen, err := target.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := target.Apply(t.Context(), s, allowlist.Write{Fence: fence, Etag: seen.Etag}); err != nil {
			t.Fatal(err)
		}
	}
	apply(1, targettest.Make("81.2.69.142/32", "2a02:8109:9340:1234::/64"))
	nginx := startNginx(t, program, w.dir)
	nginx.expect(t, map[string]int{"81.2.69.142": 200, "81.2.69.143": 403, "2a02:8109:9340:1234::9": 200, "2a02:8109:9340:1235::9": 403})
	apply(2, allowlist.Set{})
	nginx = startNginx(t, program, w.dir) // a reload would answer with the old list for a moment nginx does not announce
	nginx.expect(t, map[string]int{"81.2.69.142": 403, "81.2.69.143": 403, "2a02:8109:9340:1234::9": 403, "127.0.0.1": 403})
}

type nginx struct{ port int }

func startNginx(t *testing.T, program, list string) nginx {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	dir := t.TempDir()
	conf := fmt.Sprintf(`daemon off; pid %[1]s/pid; error_log stderr; worker_processes 1;
events { worker_connections 16; }
http {
	access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	server {
		listen 127.0.0.1:%[2]d;
		set_real_ip_from 127.0.0.1; real_ip_header X-Test;
		location / { include "%[3]s/nginx.conf"; empty_gif; }
	}
}`, dir, port, list)
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-c", path, "-e", "stderr", "-p", dir)
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	n := nginx{port}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			conn.Close()
			return n
		}
		if time.Now().After(deadline) {
			t.Fatal("nginx does not listen")
		}
	}
}

func (n nginx) expect(t *testing.T, want map[string]int) {
	t.Helper()
	for addr, status := range want {
		if got := n.status(t, netip.MustParseAddr(addr).String()); got != status {
			t.Errorf("nginx answers %d to %s, want %d", got, addr, status)
		}
	}
}

func (n nginx) status(t *testing.T, addr string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", n.port), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Test", addr)
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}
