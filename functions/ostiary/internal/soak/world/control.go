package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// quietLimit is how long a call waits for what was held back.
const quietLimit = 20 * time.Second

// handler serves local mode, what sets the faults, and the emulator's pushes.
func (w *World) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /_soak/faults":  w.shown,
		"POST /_soak/faults": w.set,
		"POST /_soak/quiet":  w.quiet,
	} {
		mux.HandleFunc(pattern, func(rw http.ResponseWriter, r *http.Request) {
			if err := handle(rw, r); err != nil {
				web.WriteProblem(rw, err)
			}
		})
	}
	if w.around.push != nil {
		mux.Handle("POST "+pushPath, w.around.push)
	}
	mux.Handle("/", w.cutting(w.local.Handler()))
	return mux
}

// cutting ends a client's connection now and then when a function has done its work, in place of the answer.
func (w *World) cutting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/_") || !w.around.faults.hit(bears(r.Context()), AnswerLost) {
			next.ServeHTTP(rw, r)
			return
		}
		next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
}

// faultsShown is what GET /_soak/faults answers. Injected counts over all processes of the data folder.
type faultsShown struct {
	Kinds    []Kind           `json:"kinds"`
	Rates    map[Kind]float64 `json:"rates"`
	Injected map[Kind]int     `json:"injected"`
	Held     int              `json:"held"` // pushes that are still to come
}

func (w *World) shown(rw http.ResponseWriter, _ *http.Request) error {
	rates, injected := w.around.faults.state()
	return web.WriteJSON(rw, http.StatusOK, faultsShown{Kinds, rates, injected, w.held.count()})
}

func (w *World) set(rw http.ResponseWriter, r *http.Request) error {
	var body struct {
		Rates map[Kind]float64 `json:"rates"`
	}
	d := json.NewDecoder(http.MaxBytesReader(rw, r.Body, web.MaxBodyBytes))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return &fault.Error{Kind: fault.Invalid, Code: "body_invalid", Detail: "The body sets no rates.", Next: `Send {"rates": {"store.before": 0.01}}.`, Err: err}
	}
	if err := w.around.faults.Set(body.Rates); err != nil {
		return err
	}
	return w.shown(rw, r)
}

// quiet ends all faults and waits until what was held back has come.
func (w *World) quiet(rw http.ResponseWriter, r *http.Request) error {
	if err := w.around.faults.Set(nil); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), quietLimit)
	defer cancel()
	if err := w.around.push.forgive(ctx); err != nil {
		return err
	}
	for w.held.release(); w.held.count() > 0; {
		pause(ctx, holding)
		if err := ctx.Err(); errors.Is(err, context.DeadlineExceeded) {
			return fault.Refuse(fault.Transient, "held", fmt.Sprintf("%d pushes that were held back are not taken.", w.held.count()), "Read in the log why, and ask again.")
		} else if err != nil {
			return fmt.Errorf("waiting for what was held back: %w", err)
		}
	}
	return w.shown(rw, r)
}
