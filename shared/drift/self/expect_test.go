package self_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"strings"
	"testing"

	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/platform/fault"
)

func packed(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

const (
	manifests = `[{"name":"deliver","callers":"machine","triggers":[{"kind":"topic","topic":"message.requested"}],"permissions":[],"environment":["OSTIARY_URL"],"publishes":[]}]`
	deployed0 = `{"v":1,"project":"acme","region":"europe-west1","code":{"deliver":"sha256:1"},"regions":{"deliver":"europe-west4"},"values":{"deliver":{"OSTIARY_URL":"2d711642b726b04401627ca9"}},"images":{"deliver":"sha256:2"},"watched":["acme"],"need":"x","locked":["acme-inbox"]}`
)

func TestExpect(t *testing.T) {
	t.Parallel()
	if e, err := self.Expect([]byte(manifests), ""); e != nil || err != nil {
		t.Errorf("the deployment says nothing: %+v %v", e, err)
	}
	e, err := self.Expect([]byte(manifests), packed(t, deployed0))
	if err != nil || e.Project != "acme" || e.Code["deliver"] != "sha256:1" || e.Need != "x" || len(e.Functions) != 1 || e.Functions[0].Name != "deliver" || e.Locked[0] != "acme-inbox" || e.Watched[0] != "acme" ||
		e.Regions["deliver"] != "europe-west4" || e.Values["deliver"]["OSTIARY_URL"] != self.Digest("x") || e.Images["deliver"] != "sha256:2" {
		t.Errorf("%+v %v", e, err)
	}
	for name, c := range map[string]struct{ manifests, deployed string }{
		"no base64": {manifests, "?"}, "no gzip": {manifests, "eHg="}, "no JSON": {manifests, packed(t, "x")}, "cut off": {manifests, packed(t, deployed0)[:40]},
		"another version": {manifests, packed(t, strings.Replace(deployed0, `"v":1`, `"v":2`, 1))}, "a field nobody knows": {manifests, packed(t, strings.Replace(deployed0, `"need"`, `"needs"`, 1))},
		"two": {manifests, packed(t, deployed0+deployed0)}, "no project": {manifests, packed(t, `{"v":1}`)}, "too long": {manifests, packed(t, strings.Repeat(" ", 2<<20)+deployed0)},
		"no manifests": {"[]", packed(t, deployed0)}, "no manifest": {`[{"name":"x"}]`, packed(t, deployed0)},
	} {
		if e, err := self.Expect([]byte(c.manifests), c.deployed); !fault.Is(err, fault.Misconfigured) || e != nil {
			t.Errorf("%s: %+v %v", name, e, err)
		}
	}
}

func FuzzExpect(f *testing.F) {
	f.Add(packed(f, deployed0))
	f.Add("")
	f.Add("H4sI")
	f.Fuzz(func(t *testing.T, text string) {
		if e, err := self.Expect([]byte(manifests), text); (e == nil) != (err != nil || text == "") {
			t.Errorf("%+v %v", e, err)
		}
	})
}
