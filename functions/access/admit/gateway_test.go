package admit

import (
	"encoding/pem"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"ostiary.internal/shared/platform/require"
)

// snippets are the indented blocks of the package comment: what people copy.
func snippets(t *testing.T) (nginx, envoy, traefik string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "function.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	must(t, err)
	var blocks []string
	inside := false
	for line := range strings.Lines(f.Doc.Text()) {
		text, indented := strings.CutPrefix(line, "\t")
		if indented && !inside {
			blocks = append(blocks, "")
		}
		if inside = indented; inside {
			blocks[len(blocks)-1] += text
		}
	}
	if len(blocks) != 4 {
		t.Fatalf("the package comment has %d blocks, want the gateway and three configurations", len(blocks))
	}
	return blocks[1], blocks[2], blocks[3]
}

// The configurations are well formed, and name our paths and headers.
func TestConfigurations(t *testing.T) {
	t.Parallel()
	_, envoy, traefik := snippets(t)
	for name, text := range map[string]string{"Envoy": envoy, "Traefik": traefik} {
		var any map[string]any
		if err := yaml.Unmarshal([]byte(text), &any); err != nil || len(any) != 1 {
			t.Errorf("%s: %v", name, err)
		}
		for _, word := range []string{"/admit/v1/check", "x-real-ip", "gateway-key", "KEY"} {
			if !strings.Contains(strings.ToLower(text), strings.ToLower(word)) {
				t.Errorf("%s does not name %s", name, word)
			}
		}
	}
}

// forged are headers by which clients and careless proxies say where somebody comes from.
func forged(addr string) []string {
	return []string{"X-Forwarded-For", addr, "Forwarded", "for=" + addr, "X-Client-Ip", addr, "True-Client-Ip", addr, "Cf-Connecting-Ip", addr,
		"X-Envoy-External-Address", addr, "X-Original-Forwarded-For", addr, "X-Annex-Client", addr}
}

// unread fails the test when anybody reads it.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, errors.New("not for reading")
}

// Envoy calls the prefix with the client's method, path and query, and takes 200 for a yes.
func TestEnvoy(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.lets(t, "one", home+"/32", start.Add(time.Hour))
	for _, method := range append(methods, http.MethodHead) {
		for _, path := range []string{"/", "/app/orders?x=1&v1=/check", "/admit/v1/check", "/a/b%2Fc/%2e%2e/d", "/openapi.json"} {
			answer := w.ask(method, "/admit/v1/check"+path, unread{t}, append(forged(elsewhere), KeyHeader, edgeKey, "X-Real-Ip", home)...)
			expect(t, answer, 200, "")
			answer = w.ask(method, "/admit/v1/check"+path, unread{t}, append(forged(home), KeyHeader, edgeKey, "X-Real-Ip", elsewhere)...)
			if answer.Code != 403 {
				t.Errorf("%s %s: %d, want 403", method, path, answer.Code)
			}
		}
	}
	// What is no clean path and what is no method of ours denies.
	for _, path := range []string{"/admit/v1/check//app", "/admit/v1/check/../../openapi.json", "/admit/v1/check/./app", "/admit/v1/checked", "/admit/v1/check"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if code := w.ask(method, path, nil, KeyHeader, edgeKey, "X-Real-Ip", home).Code; code == 200 {
				t.Errorf("%s %s: %d", method, path, code)
			}
		}
	}
	expect(t, w.ask("PROPFIND", "/admit/v1/check/app", nil, KeyHeader, edgeKey, "X-Real-Ip", home), 405, "method_not_allowed")
}

// Traefik sends a GET with what it knows of the request in headers, of which only the declared one counts.
func TestTraefik(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.lets(t, "one", home+"/32", start.Add(time.Hour))
	said := []string{"X-Forwarded-Method", "POST", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "app.example.com",
		"X-Forwarded-Uri", "/admit/v1/check?ip=" + home, "User-Agent", "Mozilla/5.0", KeyHeader, edgeKey}
	expect(t, w.check(append(said, "X-Forwarded-For", elsewhere, "X-Real-Ip", home)...), 204, "")
	expect(t, w.check(append(said, "X-Forwarded-For", home, "X-Real-Ip", elsewhere)...), 403, "not_admitted")
	expect(t, w.check(append(said, "X-Forwarded-For", home)...), 400, "address_unreadable")
}

// app is what stands behind the gateway: it says which method came, how long the body was, and whether our key leaked.
func app(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %d %t", r.Method, len(body), strings.Contains(fmt.Sprint(r.Header), edgeKey))
	}))
	t.Cleanup(server.Close)
	return server
}

// TestNginx runs the documented configuration, word for word but for the key and the authority, in a real nginx.
func TestNginx(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/nginx")
	}
	require.Tool(t, "nginx", err == nil)
	w := open(t)
	w.lets(t, "v4", home+"/32", start.Add(time.Hour))
	w.lets(t, "v6", network, start.Add(time.Hour))
	us := httptest.NewTLSServer(w)
	defer us.Close()
	proxy := startNginx(t, program, us, app(t))

	attack := append(forged(home), "X-Real-Ip", home, KeyHeader, "the client's own", "Authorization", w.token("edge", nil), "Cookie", "a=b")
	for name, row := range map[string]struct {
		from, method, body string
		headers            []string
		status             int
	}{
		"registered":             {from: home, status: 200},
		"in the /64":             {from: "2a02:8109:9340:1234::9", status: 200},
		"fixed site":             {from: office, status: 200},
		"with a body":            {from: home, method: http.MethodPost, body: strings.Repeat("x", 1<<16), status: 200},
		"says it is elsewhere":   {from: home, headers: forged(elsewhere), status: 200},
		"not registered":         {from: elsewhere, status: 403},
		"beside the /64":         {from: "2a02:8109:9340:1235::9", status: 403},
		"says it is at home":     {from: elsewhere, headers: attack, status: 403},
		"posts from elsewhere":   {from: elsewhere, method: http.MethodPost, body: "x", headers: attack, status: 403},
		"the inner path is shut": {from: home, headers: []string{"path", "/_ostiary"}, status: 404},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := proxy.visit(t, row.from, row.method, row.body, row.headers)
			if status != row.status {
				t.Errorf("nginx answers %d, want %d", status, row.status)
			}
			method := row.method
			if method == "" {
				method = http.MethodGet
			}
			if want := fmt.Sprintf("%s %d false", method, len(row.body)); status == 200 && text != want {
				t.Errorf("the application saw %q, want %q", text, want)
			}
		})
	}

	visit := func(want int, when string) {
		t.Helper()
		if got, _ := proxy.visit(t, home, "", "", nil); got != want {
			t.Errorf("%s nginx answers %d, want %d", when, got, want)
		}
	}
	must(t, w.Clock.Set(start.Add(time.Hour)))
	visit(403, "after the day")
	w.lets(t, "next", home+"/32", start.Add(2*time.Hour))
	visit(200, "registered again,")
	w.Store.Down()
	visit(500, "without the store") // nginx makes 500 of every answer but 2xx, 401 and 403
	w.Store.Up()
	visit(200, "with the store again,")
	us.Close()
	visit(500, "without us")
}

type nginx struct{ url string }

// startNginx lets the test choose where a client comes from, by a header that only this nginx believes.
func startNginx(t *testing.T, program string, us, app *httptest.Server) nginx {
	t.Helper()
	dir := t.TempDir()
	authority := filepath.Join(dir, "authority.pem")
	must(t, os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: us.Certificate().Raw}), 0o600))
	snippet, _, _ := snippets(t)
	snippet = strings.NewReplacer("KEY", edgeKey, "/etc/ssl/certs/ca-certificates.crt", authority).Replace(snippet)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := listener.Addr().String()
	listener.Close()
	conf := fmt.Sprintf(`daemon off; pid %[1]s/pid; worker_processes 1;
events { worker_connections 64; }
http {
	access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	upstream admit.example.com { server %[3]s; }
	upstream application.example.com { server %[4]s; }
	server {
		listen %[2]s;
		set_real_ip_from 127.0.0.1; real_ip_header X-Client; client_body_buffer_size 1m;
		%[5]s
	}
}`, dir, address, us.Listener.Addr(), app.Listener.Addr(), snippet)
	path := filepath.Join(dir, "nginx.conf")
	must(t, os.WriteFile(path, []byte(conf), 0o600))
	cmd := exec.Command(program, "-c", path, "-e", filepath.Join(dir, "log"), "-p", dir)
	cmd.Stderr = t.Output()
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Logf("%s", log)
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return nginx{"http://" + address}
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Fatalf("nginx does not listen: %s", log)
		}
	}
}

// visit makes one request of a client at from. The header "path" is no header.
func (n nginx) visit(t *testing.T, from, method, body string, headers []string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, n.url+"/orders", strings.NewReader(body))
	must(t, err)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "path" {
			r.URL.Path = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	r.Header.Set("X-Client", from)
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.StatusCode, string(text)
}
