package messagetest

import (
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Server is the other end of a channel over HTTPS, on the loopback.
type Server struct {
	URL   string
	Roots *x509.CertPool

	mu     sync.Mutex
	posted []Posted
	answer func(n int, w http.ResponseWriter)
}

// Posted is one request as it came.
type Posted struct {
	Method, Path string
	Header       http.Header
	Body         []byte
}

// Serve starts a server. answer writes the answer to the nth request, from 1, once all of it was read; nil accepts each.
func Serve(t *testing.T, answer func(n int, w http.ResponseWriter)) *Server {
	t.Helper()
	s := &Server{answer: answer}
	real := httptest.NewUnstartedServer(s)
	real.EnableHTTP2 = true // as most do; a channel chooses
	real.Config.ErrorLog = log.New(io.Discard, "", 0)
	real.StartTLS()
	t.Cleanup(real.Close)
	s.URL, s.Roots = real.URL, x509.NewCertPool()
	s.Roots.AddCert(real.Certificate())
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	s.posted = append(s.posted, Posted{r.Method, r.URL.RequestURI(), r.Header, body})
	n := len(s.posted)
	s.mu.Unlock()
	if s.answer == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	s.answer(n, w)
}

// Posted returns what came whole, in the order it came.
func (s *Server) Posted() []Posted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Posted(nil), s.posted...)
}
