package local

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/web"
)

// Health is what /_local/health answers. PID is the process's own: a command that found the address in a data folder
// sees by it that nobody else has taken the port since.
type Health struct {
	Ready bool `json:"ready"`
	PID   int  `json:"pid"`
}

// Handler serves everything on one address: the start page, every function under its name, and /_local/.
func (w *World) Handler() http.Handler {
	life := documented(w.lifeRoutes())
	return onlyLoopback(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == lifePath { // it may close and open everything else
			life.ServeHTTP(rw, r)
			return
		}
		w.gate.RLock()
		defer w.gate.RUnlock()
		if w.life.playing() && !harmless(r) {
			answer(whilePlaying).ServeHTTP(rw, r)
			return
		}
		if brings(r) {
			if err := w.touch(); err != nil {
				web.WriteProblem(rw, err)
				return
			}
		}
		w.mux.ServeHTTP(rw, r)
	}))
}

// sameSite refuses what a page elsewhere sends.
func sameSite(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(answer(func(http.ResponseWriter, *http.Request) error {
		return fault.Refuse(fault.Denied, "cross_origin", "This came from a page of another site.", "Open the page here and try again.")
	}))
	return protection.Handler(next)
}

// routes are all calls but those of sample life.
func (w *World) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range w.localRoutes() {
		mux.Handle(pattern, sameSite(answer(handle)))
	}
	mux.HandleFunc("GET /openapi.json", w.openAPI)
	mux.Handle("GET /{$}", answer(w.startPage))
	for name, f := range w.functions {
		mux.Handle("/"+name, w.dressed(f))
		mux.Handle("/"+name+"/", w.dressed(f))
	}
	return documented(mux)
}

// documented answers what no route serves as a problem document too.
func documented(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		found, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(rw, r)
			return
		}
		told := httptest.NewRecorder() // the mux knows whether the path or only the method is unknown
		found.ServeHTTP(told, r)
		e := fault.Refuse(fault.NotFound, "not_found", "There is nothing at this address.", "Start at / to find what there is.")
		if told.Code == http.StatusMethodNotAllowed {
			e = fault.Refuse(fault.Invalid, "method_not_allowed", "This address does not answer this method.", "Use one of the methods in the Allow header.")
			e.Status = told.Code
			rw.Header().Set("Allow", told.Header().Get("Allow"))
		}
		web.WriteProblem(rw, e)
	})
}

// onlyLoopback answers requests that were addressed to this machine by its own names; another Host is a page
// elsewhere that a browser was tricked to send here (DNS rebinding).
func onlyLoopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		if host != "localhost" && host != "127.0.0.1" && host != "::1" {
			web.WriteProblem(rw, fault.Refuse(fault.Denied, "host_refused", "This server answers as localhost, 127.0.0.1 or [::1] only.", "Open it by one of these names."))
			return
		}
		next.ServeHTTP(rw, r)
	})
}

// dressed gives a request what the load balancer and the proxy in front of a deployed function would: the assertion
// of the signed-in person, and the address she sits at.
func (w *World) dressed(f *function) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		signed := w.sessions.of(r)
		if f.manifest.Callers == "staff" {
			if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && r.Header.Get(identity.AssertionHeader) == "" {
				r.Header.Set(identity.AssertionHeader, token)
			}
			r.Header.Del("Authorization")
			if signed != nil && r.Header.Get(identity.AssertionHeader) == "" {
				if token, err := w.staffToken(signed.email, nil); err == nil {
					r.Header.Set(identity.AssertionHeader, token)
				}
			}
		}
		if signed != nil && len(r.Header.Values(ClientHeader)) == 0 {
			r.Header.Set(ClientHeader, signed.address)
		}
		f.handler.ServeHTTP(rw, r)
	})
}

func (w *World) openAPI(rw http.ResponseWriter, _ *http.Request) {
	var all []web.Function
	for _, name := range w.order {
		all = append(all, w.functions[name].served)
	}
	rw.Header().Set("Content-Type", "application/json")
	_, _ = rw.Write(web.OpenAPI(all...))
}

// answer turns a handler that may fail into one that answers a problem document.
func answer(handle func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Cache-Control", "no-store")
		if err := handle(rw, r); err != nil {
			web.WriteProblem(rw, err)
		}
	})
}

// localRoutes are the calls under /_local/.
func (w *World) localRoutes() map[string]func(http.ResponseWriter, *http.Request) error {
	return map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /_local/health": func(rw http.ResponseWriter, _ *http.Request) error {
			return web.WriteJSON(rw, 200, Health{Ready: true, PID: os.Getpid()})
		},
		"GET /_local/signin":      w.signInPage,
		"POST /_local/signin":     w.signIn,
		"POST /_local/signout":    w.signOut,
		"GET /_local/clock":       w.readClock,
		"POST /_local/clock":      w.setClock,
		"POST /_local/settle":     w.settle,
		"POST /_local/events":     w.events,
		"GET /_local/allowlist":   w.allowlist,
		"GET /_local/mail":        w.mail,
		"GET /_local/sent":        w.mail,
		"GET /_local/records":     w.records,
		"GET /_local/schedules":   w.schedules,
		"GET /_local/people":      w.listPeople,
		"POST /_local/people":     w.changePerson,
		"GET /_local/data":        w.readData,
		"POST /_local/data":       w.writeData,
		"GET /_local/door":        w.door,
		"GET /_local/style.css":   w.style,
		"GET /_local/icon.svg":    w.icon,
		"POST /_local/enrol":      w.enrolLink,
		"GET /_local/deadletters": w.deadLetters,
		"POST /_local/redeliver":  w.redeliver,
	}
}

// decode reads a small JSON body of a /_local/ call; unknown keys are refused.
func decode(rw http.ResponseWriter, r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(rw, r.Body, web.MaxBodyBytes))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return &fault.Error{Kind: fault.Invalid, Code: "body_invalid", Detail: "The body is not the JSON object this call takes.", Next: "Compare it with the documentation of /_local/.", Err: err}
	}
	return nil
}
