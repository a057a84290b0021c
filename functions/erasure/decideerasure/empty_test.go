package decideerasure

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A body is there or not by what is sent, not by what is said of its length.
func TestEmpty(t *testing.T) {
	t.Parallel()
	var body string
	var none bool
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		none = empty(r)
		sent, _ := io.ReadAll(r.Body)
		body = string(sent)
	}))
	t.Cleanup(server.Close)
	for name, c := range map[string]struct {
		body io.Reader
		want string
	}{
		"none": {nil, ""}, "chunked and empty": {io.MultiReader(bytes.NewReader(nil)), ""}, "chunked": {io.MultiReader(bytes.NewReader([]byte("{}"))), "{}"}, "of a length": {bytes.NewReader([]byte("{}")), "{}"},
	} {
		got, err := http.Post(server.URL, "application/json", c.body)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		if body != c.want || none != (c.want == "") {
			t.Errorf("%s: %q, none %t", name, body, none)
		}
	}
}
