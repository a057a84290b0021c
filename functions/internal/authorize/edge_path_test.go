package authorize

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/platform/web"
)

// twisted are other ways to write the path of a route, which a proxy in front may read in another way than we do.
func twisted(path string) []string {
	name, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return []string{
		"/" + path, "/./" + name + "/" + rest, "/x/.." + path, "/" + name + "//" + rest, "/" + name + "/x/../" + rest, "/%2e" + path, "/x/%2e%2e" + path, "/x%2f..%2f" + name + "/" + rest,
		"/" + name + "%2f" + rest, "/" + name + "/%2e%2e/" + name + "/" + rest, `/\` + name + "/" + rest, "/" + name + `\` + rest, "/" + name + ";x=1/" + rest, path + "%00", path + "/.", path + "%20",
		strings.ToUpper("/"+name) + "/" + rest, "/%" + fmt.Sprintf("%x", name[0]) + name[1:] + "/" + rest + "/..;/",
	}
}

// TestTwistedPaths: another way to write a path leads to the path itself on the same host, or to nothing: whoever is refused
// there is refused here, and nobody is sent to another site.
func TestTwistedPaths(t *testing.T) {
	t.Parallel()
	w := newWorld(t).furnish(t)
	before := w.State(t)
	for name, m := range w.manifests {
		for _, r := range w.Routes(name) {
			if m.Callers == manifest.Public {
				continue
			}
			path, _ := w.aim(name, r, true)
			for _, other := range twisted(path) {
				u, err := url.ParseRequestURI(other)
				if err != nil {
					continue // no server reads it
				}
				request := httptest.NewRequestWithContext(t.Context(), r.Method, "http://"+name+".test/", nil)
				request.URL.Path, request.URL.RawPath = u.Path, u.RawPath
				answer := httptest.NewRecorder()
				w.Handler(name).ServeHTTP(answer, request)
				to := answer.Header().Get("Location")
				if moved := answer.Code == 301 || answer.Code == 307 || answer.Code == 308; moved && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.Contains(to, `\`)) {
					t.Errorf("%s %q: sent to %q", r.Method, other, to)
				} else if !moved && answer.Code < 400 && !open(r) {
					t.Errorf("%s %q: answered %d to nobody", r.Method, other, answer.Code)
				}
			}
		}
	}
	w.Unchanged(t, before)
}

// open reports whether a route of a function with callers answers nobody too: style sheets and icons.
func open(r web.Route) bool { return public(manifest.Function{}, r) }

// TestHost: no answer says or leads to the host that a request names: it may be anybody's.
func TestHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t).furnish(t)
	w.each(t, func(m manifest.Function, r web.Route, c caller) {
		q := w.asked(t, m, r, c)
		request := httptest.NewRequestWithContext(t.Context(), q.Method, "http://evil.example"+q.Path, nil)
		if text, is := q.Body.(string); is {
			request.Body = io.NopCloser(strings.NewReader(text))
		}
		for name, values := range q.Header {
			request.Header[name] = values
		}
		for _, name := range []string{"X-Forwarded-Host", "X-Original-Url", "X-Rewrite-Url", "Forwarded", "X-Host"} {
			request.Header.Set(name, "host=evil.example")
		}
		answer := httptest.NewRecorder()
		w.Handler(m.Name).ServeHTTP(answer, request)
		if all := fmt.Sprint(answer.Header()) + answer.Body.String(); strings.Contains(all, "evil.example") {
			t.Errorf("%s: the answer repeats the host it was asked at", key(m.Name, r))
		}
	})
}

// smuggled are requests that two servers in a row could take apart in two ways (RFC 9112, sections 6.1 and 11.2).
var smuggled = map[string]string{
	"two lengths":                  "POST /checkotp/v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
	"a length that is none":        "POST /checkotp/v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
	"an unknown coding":            "POST /checkotp/v1/check HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
	"chunked twice":                "POST /checkotp/v1/check HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
	"a space before the colon":     "POST /checkotp/v1/check HTTP/1.1\r\nHost: x\r\nContent-Length : 2\r\n\r\n{}",
	"two hosts":                    "GET /trustpage/ HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
	"no host":                      "GET /trustpage/ HTTP/1.1\r\n\r\n",
	"a header that goes on":        "GET /trustpage/ HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n Content-Length: 5\r\nbad header\r\n\r\n",
	"a bare line end in a header":  "GET /trustpage/ HTTP/1.1\r\nHost: x\r\nX-A: 1\x00\r\n\r\n",
	"a chunk longer than there is": "POST /checkotp/v1/check HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n",
}

// TestSmuggling: such a request is refused and the connection is closed: what follows on it is nobody's request. One that says
// both a length and chunks is read by its chunks alone, so that the request behind it is the one that was sent.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		name := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")[0]
		if _, known := w.manifests[name]; !known {
			http.NotFound(out, r)
			return
		}
		w.Handler(name).ServeHTTP(out, r)
	}))
	defer server.Close()
	const second = "GET /trustpage/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, raw := range smuggled {
		if first, next := exchange(t, server, raw+second); first < 400 || next != 0 {
			t.Errorf("%s: answered %d, and what follows on the connection %d", name, first, next)
		}
	}
	both := "POST /checkotp/v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	if first, next := exchange(t, server, both+second); first != http.StatusUnauthorized || next != http.StatusOK {
		t.Errorf("a length and chunks: answered %d, and the request behind it %d", first, next)
	}
}

// exchange sends bytes on a connection of their own, and returns the status of the first answer and of the next, 0 for none.
func exchange(t *testing.T, server *httptest.Server, raw string) (status, next int) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	_, err = io.WriteString(conn, raw)
	must(t, err)
	answers := bufio.NewReader(conn)
	first, err := http.ReadResponse(answers, nil)
	if err != nil {
		return 0, 0
	}
	_, _ = io.Copy(io.Discard, first.Body)
	_ = first.Body.Close()
	second, err := http.ReadResponse(answers, nil)
	if err != nil {
		return first.StatusCode, 0
	}
	_ = second.Body.Close()
	return first.StatusCode, second.StatusCode
}
