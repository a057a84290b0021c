package wiring

import (
	"context"
	"log/slog"
	"net/http"
	"os"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
	"ostiary.internal/shared/platform/log"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"
)

// Function is one deployable function: its manifest, what it keeps in its control's database, and how it is built.
type Function struct {
	Manifest []byte // function.json
	Schema   store.Schema
	Build    func(ctx context.Context, d *Deps) (web.Function, error)
}

// Entry is what a deployed function registers with the framework. The function is built at the first request; while
// it cannot be built, every request is answered 503 and the next one tries again.
func (f Function) Entry() http.HandlerFunc {
	built := lazy.New(func(ctx context.Context) (http.Handler, error) {
		m, err := manifest.Parse(f.Manifest)
		if err != nil {
			return nil, fault.New(fault.Misconfigured, "%w", err)
		}
		project, _ := os.LookupEnv(EnvProject)
		d, err := Open(ctx, m, f.Schema, Options{Env: os.LookupEnv, Clock: clock.System{}, Log: log.New(os.Stdout, project, slog.LevelInfo)})
		if err != nil {
			return nil, err
		}
		served, err := f.Build(ctx, d)
		if err != nil {
			return nil, err
		}
		return served.Handler(), nil
	})
	return func(w http.ResponseWriter, r *http.Request) {
		handler, err := built.Get(r.Context())
		if err != nil {
			log.New(os.Stdout, "", slog.LevelInfo).ErrorContext(r.Context(), "building the function", "error", err)
			web.WriteProblem(w, fault.Refuse(fault.Misconfigured, "unavailable", "This service is not configured completely.", "Try again in a minute; if it stays, the operator reads the log."))
			return
		}
		handler.ServeHTTP(w, r)
	}
}
