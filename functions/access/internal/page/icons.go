package page

import (
	"bytes"
	"embed"
	"net/http"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

//go:embed icons/*.png
var icons embed.FS

// Icons returns the route of the pictures a phone shows for the installed page. The web app manifest names them, so
// their addresses stay.
func Icons() web.Route {
	return web.Route{Method: http.MethodGet, Path: "/icons/{file}", Summary: "A picture for the installed page.",
		Answers: map[int]any{http.StatusOK: web.Media("image/png")}, Problems: []string{"not_found"},
		Handle: func(w http.ResponseWriter, r *http.Request) error {
			data, err := icons.ReadFile("icons/" + r.PathValue("file"))
			if err != nil {
				return fault.Refuse(fault.NotFound, "not_found", "There is no such picture.", "Load the page again.")
			}
			w.Header().Set("Content-Type", "image/png")
			w.Header().Set("Cache-Control", "public, max-age=86400")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
			return nil
		}}
}
