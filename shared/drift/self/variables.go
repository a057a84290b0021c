package self

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
)

// given are variables that every deployment sets, beside those of the manifest; platform those that Google does.
var (
	given = []string{"OSTIARY_CODE", "OSTIARY_IAM", "OSTIARY_PROJECT", "OSTIARY_STORE", "OSTIARY_POLICY", "OSTIARY_EVIDENCE", "OSTIARY_INVOKER", "OSTIARY_SECRETS", "OSTIARY_BUS", "OSTIARY_IDENTITY"}

	platform = []string{"FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE", "LOG_EXECUTION_ID", "GOOGLE_CLOUD_PROJECT"}
)

// Digest is what a deployment says of the value of a variable: the first 24 hexadecimal digits of its SHA-256. Who may read the
// deployment can try values against it: none is a secret.
func Digest(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:12])
}

// variables compares what a function is told: the names of its variables, the digest of its code, and the digests of the values that
// were deployed. Of a value it tells the digest alone.
func (c *comparing) variables(f Function, a *asset.Asset, template asset.Object) {
	values, secret := map[string]string{}, 0
	containers := list(template, "containers")
	if len(containers) != 1 {
		c.tell(a.Type, a.Key, "containers", "1", fmt.Sprint(len(containers)))
	}
	for _, one := range containers {
		m, _ := one.(asset.Object)
		c.image(f, a, text(m, "image"))
		for _, e := range list(m, "env") {
			v, _ := e.(asset.Object)
			name := text(v, "name")
			values[name] = text(v, "value")
			if !slices.Contains(slices.Concat(given, platform, f.Environment), name) {
				c.tell(a.Type, a.Key, "env", "", name)
			}
			if v["valueSource"] != nil {
				secret++
			}
		}
	}
	for _, name := range slices.Concat(f.Environment, given[:6]) {
		if _, set := values[name]; !set {
			c.tell(a.Type, a.Key, "env", name, "")
		}
	}
	if secret > 0 {
		c.tell(a.Type, a.Key, "env", "no secrets", "a secret")
	}
	if want, known := c.e.Code[f.Name]; !known {
		c.doubt(a.Type, a.Key, "code", "nobody said which code was released")
	} else {
		c.same(a, "code", want, values["OSTIARY_CODE"])
	}
	c.values(f, a, values)
}

// values compares the values of variables that are set: those every function's name tells, and those that were deployed.
func (c *comparing) values(f Function, a *asset.Asset, values map[string]string) {
	deployed, known := c.e.Values[f.Name]
	if !known {
		c.doubt(a.Type, a.Key, "values", "nobody said which values were deployed")
		return
	}
	told := map[string]string{"OSTIARY_IAM": "front", "OSTIARY_PROJECT": c.e.Project}
	if f.Callers == "machine" {
		told["OSTIARY_INVOKER"] = c.mail("in", f.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(deployed)) {
		if _, set := values[name]; !set && !slices.Contains(slices.Concat(f.Environment, given[:6]), name) {
			c.tell(a.Type, a.Key, "env", name, "")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		want, got := deployed[name], Digest(values[name])
		switch value, is := told[name]; {
		case slices.Contains(platform, name), name == "OSTIARY_CODE", name == "OSTIARY_SELF", !slices.Contains(slices.Concat(given, f.Environment), name):
			continue
		case is:
			want = Digest(value)
		case name == "OSTIARY_SECRETS":
			if strings.HasPrefix(values[name], "secretmanager://"+c.e.Project+"?pin=") {
				continue
			}
		}
		c.same(a, "env "+name, want, got)
	}
}

// image looks where what runs comes from: what was given, or else the repository to which Cloud Functions builds in the project.
// Whether it was built of the code that was released nobody can tell by its name.
func (c *comparing) image(f Function, a *asset.Asset, image string) {
	if want, given := c.e.Images[f.Name]; given {
		if image != want && !strings.HasSuffix(image, "@"+want) {
			c.tell(a.Type, a.Key, "image", want, image)
		}
		return
	}
	if built := c.region(f) + "-docker.pkg.dev/" + c.e.Project + "/ostiary/"; !strings.HasPrefix(image, built) {
		c.tell(a.Type, a.Key, "image", built+"…", image)
	}
}
