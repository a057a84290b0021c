package driver_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
)

type opened struct{ path, name string }

func registry() *driver.Registry[struct{}, opened] {
	r := driver.NewRegistry[struct{}, opened]("seam")
	r.Register("file", func(_ context.Context, u *url.URL, _ struct{}) (opened, error) {
		path, options, err := driver.Path(u, "name")
		return opened{path, options.Get("name")}, err
	})
	r.Register("folder", func(_ context.Context, u *url.URL, _ struct{}) (opened, error) {
		path, _, err := driver.Path(u)
		return opened{path: path}, err
	})
	return r
}

// TestOddPaths: whatever characters a path and an option have, the driver gets them as they were, also out of a list that
// spaces or commas divide.
func TestOddPaths(t *testing.T) {
	t.Parallel()
	r := registry()
	for _, path := range []string{
		"data/keys", "/data/keys", "a#b/c", "/a#b", "#", "a?b=c", "/tmp/what?", "100%", "a%23b", "%zz", "%2F/x", "a b,c;d", "tab\tline\n", "a&b=c+d", "c:d", "é/日本", "[x]*", "..",
	} {
		for _, name := range []string{"", path} {
			raw := driver.URL("file", path)
			if name != "" {
				raw = driver.URL("file", path, "name", name)
			}
			if strings.ContainsAny(raw, " ,\t\n") {
				t.Errorf("%q becomes %q, which no list can hold", path, raw)
			}
			if got, err := r.Open(t.Context(), raw, struct{}{}); err != nil || got != (opened{path, name}) {
				t.Errorf("%q by %q is %+v, %v", path, raw, got, err)
			}
		}
	}
	if got, want := driver.URL("bolt", "/a b/x.db", "tree", "access", "of", "/x"), "bolt:/a%20b/x.db?tree=access&of=%2Fx"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestTyped: what people write by hand opens what they mean, or says which character is in the way and what to write for it.
func TestTyped(t *testing.T) {
	t.Parallel()
	r := registry()
	for raw, want := range map[string]string{
		"file:data/secrets":     "data/secrets",
		"file:a%20b/c?name=x":   "a b/c",
		"file:///data/secrets":  "/data/secrets",
		"file:data/../../other": "../other",
		"folder:a%23b":          "a#b",
	} {
		if got, err := r.Open(t.Context(), raw, struct{}{}); err != nil || got.path != want {
			t.Errorf("%s is %q, %v; want %q", raw, got.path, err, want)
		}
	}
	for raw, says := range map[string]string{
		"file:a#b":              `seam: a "#" ends what a URL names; write %23`,
		"file:a?name=x#":        `write %23`,
		"folder:/a%zz":          `seam: a "%" in the URL begins no two hexadecimal digits; write %25`,
		"folder:100%/a":         `folder: a "%" in the path begins no two hexadecimal digits; write %25`,
		"folder:what?":          `folder: a "?" begins options, and the URL takes none; write %3F`,
		"folder:a?secret=hid":   `folder: a "?" begins options, and the URL takes none; write %3F`,
		"file:a?secret=hid":     `the URL takes name, each once; write %3F`,
		"file:a?name=x&name=y":  `the URL takes name, each once`,
		"file:a?name=%zz":       `write %3F`,
		"file:":                 "file: the URL names nothing on this machine; write file:PATH",
		"file://host/secrets":   "write file:PATH",
		"data/secrets":          "seam: not a URL with a scheme; known schemes: file, folder",
		"bolt:hid":              `seam: unknown scheme "bolt"; known schemes: file, folder`,
		"file://u:hid@[::1/x":   "seam: not a URL with a scheme",
		"https://a/?secret=hid": "unknown scheme",
	} {
		_, err := r.Open(t.Context(), raw, struct{}{})
		if !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hid") {
			t.Errorf("%s: %v; want %s", raw, err, says)
		}
	}
}
