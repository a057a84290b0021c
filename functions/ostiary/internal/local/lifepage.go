package local

import (
	"mime"
	"net/http"
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

const lifePath = "/_local/life"

// lifeRoutes are the calls of sample life. They answer while everything else is closed and opened again.
func (w *World) lifeRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET "+lifePath, answer(w.lookAtLife))
	mux.Handle("POST "+lifePath, sameSite(answer(w.beginLife)))
	return mux
}

// lifeShown is what the page shows: how far it is, or why nothing is played and what to do.
type lifeShown struct {
	progress
	Why, Next string
}

// beginLife begins to play. A form is led to the page that shows how far it is; ?wait=1 answers when it is over.
func (w *World) beginLife(rw http.ResponseWriter, r *http.Request) error {
	err := w.live(r.Context(), fortnight)
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media == "application/x-www-form-urlencoded" {
		if told := w.life.progress(); fault.CodeOf(err) == "life_there" && told.State == lifeNone {
			p := web.ProblemOf(err)
			return w.showAs(rw, p.Status, "life.html", lifeShown{told, p.Detail, p.Next})
		}
		if err == nil || fault.CodeOf(err) == "life_there" {
			return web.SeeOther(rw, lifePath)
		}
	}
	if err != nil {
		return err
	}
	return w.tellLife(rw, r, http.StatusAccepted)
}

func (w *World) lookAtLife(rw http.ResponseWriter, r *http.Request) error {
	if wantsPage(r) {
		told := w.life.progress()
		if told.State == lifePlaying {
			rw.Header().Set("Refresh", "1") // works without a script
		}
		return w.show(rw, "life.html", lifeShown{progress: told})
	}
	return w.tellLife(rw, r, http.StatusOK)
}

func (w *World) tellLife(rw http.ResponseWriter, r *http.Request, status int) error {
	if r.URL.Query().Get("wait") == "1" {
		if err := w.life.wait(r.Context()); err != nil {
			return err
		}
		status = http.StatusOK
	}
	told := w.life.progress()
	if told.State == lifeFailed {
		return web.Extend(fault.Refuse(fault.Misconfigured, "life_failed", "Sample life ended before its time.", "Look into the log; start again with a folder that does not exist yet."),
			map[string]any{"day": told.Day})
	}
	return web.WriteJSON(rw, status, told)
}

// harmless reports whether a request may be answered while sample life is played.
func harmless(r *http.Request) bool {
	return r.Method == http.MethodGet && slices.Contains([]string{"/", "/_local/health", "/_local/style.css", "/_local/icon.svg", "/_local/clock"}, r.URL.Path)
}

// whilePlaying refuses what would become part of the sample.
func whilePlaying(rw http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodGet && wantsPage(r) {
		return web.SeeOther(rw, lifePath)
	}
	rw.Header().Set("Retry-After", "5")
	return fault.Refuse(fault.Transient, "life_playing", "Sample life is being played: whatever happened now would become part of it.", "Come back in a few seconds; look at "+lifePath+".")
}

// Long is a time as the page writes it.
func (progress) Long(t time.Time) string { return t.UTC().Format("Monday 2 January 2006, 15:04 MST") }
