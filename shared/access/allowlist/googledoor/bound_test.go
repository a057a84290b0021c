package googledoor_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ostiary.internal/shared/access/allowlist/googledoor"
)

// TestAnswersAreBounded: one that is as long as it may be is read whole, one that is a byte longer is an error.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", googledoor.MostOfAnswer)+strings.TrimPrefix(r.URL.Path, "/"))
	}))
	defer server.Close()
	for _, client := range []*http.Client{server.Client(), {}} {
		for path, long := range map[string]bool{"": false, "y": true} {
			res, err := googledoor.Guard(client).Get(server.URL + "/" + path)
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(res.Body)
			res.Body.Close()
			if (err != nil) != long || len(data) > googledoor.MostOfAnswer || !long && len(data) != googledoor.MostOfAnswer {
				t.Errorf("%q: read %d bytes, %v", path, len(data), err)
			}
		}
	}
}
