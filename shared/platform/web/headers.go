package web

import (
	"net/http"
	"strings"
)

// contentPolicy returns the Content-Security-Policy: nothing but our own files, no inline style or script, no
// frame around us. connect lists further hosts a script may call, forms those a form may be sent to.
func contentPolicy(connect, forms []string) string {
	return strings.Join([]string{
		"default-src 'none'", "base-uri 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
		strings.Join(append([]string{"connect-src", "'self'"}, connect...), " "),
		"manifest-src 'self'", strings.Join(append([]string{"form-action", "'self'"}, forms...), " "), "frame-ancestors 'none'",
	}, "; ")
}

// headers sets what every answer carries, before anything else happens.
func (s *server) headers(h http.Header, requestID string) {
	h.Set("Content-Security-Policy", s.csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Request-Id", requestID)
	if s.Deployed {
		h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains") // RFC 6797; two years
	}
}
