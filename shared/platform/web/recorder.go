package web

import "net/http"

// recorder remembers what was answered, and lets the first status stand.
type recorder struct {
	http.ResponseWriter
	status   int // 0 until the header is written
	implicit int // what a body without a status means; 0 for 200
	bytes    int64
	err      error // what the route's handler returned
}

// WriteHeader sends the status once; informational ones pass (RFC 9110, section 15.2).
func (o *recorder) WriteHeader(status int) {
	if o.status != 0 {
		return
	}
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		o.status = status
	}
	o.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body, and the status before it.
func (o *recorder) Write(p []byte) (int, error) {
	if o.status == 0 {
		o.WriteHeader(max(o.implicit, http.StatusOK))
	}
	n, err := o.ResponseWriter.Write(p)
	o.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (o *recorder) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// probe takes the mux's own refusal instead of the caller.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
func (p *probe) WriteHeader(status int)      { p.status = status }
