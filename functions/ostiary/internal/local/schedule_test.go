package local

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"
)

// Who has just started the server finds a trust page within seconds, not after the minute after the next.
func TestTrustPageAtOnce(t *testing.T) {
	t.Parallel()
	w := trust(t, filepath.Join(t.TempDir(), "data"), "labelsync", time.Time{})
	begun := time.Now()
	for {
		told := httptest.NewRecorder()
		w.Handler().ServeHTTP(told, httptest.NewRequest(http.MethodGet, "http://localhost/trustpage/v1/promises.json", http.NoBody))
		if told.Code == http.StatusOK {
			return
		}
		if time.Since(begun) > 25*time.Second {
			t.Fatalf("%d after %s: %s", told.Code, time.Since(begun), told.Body)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
