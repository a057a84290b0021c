package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// cyclonedx is the published schema of CycloneDX 1.5.
func cyclonedx(t *testing.T) *jsonschema.Schema {
	t.Helper()
	const at = "http://cyclonedx.org/schema/"
	c := jsonschema.NewCompiler()
	for _, name := range []string{"bom-1.5.schema.json", "spdx.schema.json", "jsf-0.82.schema.json"} {
		text, err := os.ReadFile(filepath.Join(top, "testdata", "cyclonedx", name))
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err == nil {
			err = c.AddResource(at+name, value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile(at + "bom-1.5.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// The list of parts is what the published schema asks for; with a slip in it, it is not.
func TestBillSchema(t *testing.T) {
	t.Parallel()
	schema := cyclonedx(t)
	check := func(text []byte) error {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	text := packedHere(t).bill
	if err := check(text); err != nil {
		t.Error(err)
	}
	for old, other := range map[string]string{
		`"bomFormat": "CycloneDX"`: `"bomFormat": "Cyclone"`, `"version": 1,`: `"version": 0,`, `"type": "library"`: `"type": "module"`, `"alg": "SHA-256"`: `"alg": "h1"`,
		`"id": "Apache-2.0"`: `"id": "Apache"`, `"dependsOn"`: `"needs"`, `"bom-ref": "ostiary",`: ``, `"name": "admit",`: ``,
	} {
		changed := bytes.Replace(text, []byte(old), []byte(other), 1)
		switch fails := check(changed) != nil; {
		case bytes.Equal(changed, text):
			t.Errorf("%s stands nowhere", old)
		case !fails && !strings.Contains(old, "bom-ref"): // a reference may be left out; that ours are all there TestBillNamesParts says
			t.Errorf("%s instead of %s passes", other, old)
		}
	}
}

// Each archive holds sources of exactly the modules that the list names for it, in these versions; the hash of a module is that of
// go.sum, and that of a function is its archive's.
func TestBillNamesParts(t *testing.T) {
	t.Parallel()
	m := packedHere(t)
	var b bom
	if err := json.Unmarshal(m.bill, &b); err != nil {
		t.Fatal(err)
	}
	if b.Metadata.Component.Version != "sha256:"+digest(m.text) {
		t.Errorf("it is of the release %s", b.Metadata.Component.Version)
	}
	parts, on := map[string]component{}, map[string][]string{}
	for _, c := range b.Components {
		parts[c.Ref] = c
	}
	for _, d := range b.Dependencies {
		on[d.Ref] = d.On
	}
	libraries := map[string]bool{}
	for name, p := range m.list.Functions {
		ref := "function:" + name
		if c := parts[ref]; len(c.Hashes) != 1 || "sha256:"+c.Hashes[0].Content != p.Digest || !slices.Contains(on["ostiary"], ref) {
			t.Errorf("%s is not listed with its archive: %+v", name, c)
		}
		held := vendored(t, m.archives[p.Object])
		for _, purl := range on[ref] {
			libraries[purl] = true
			c := parts[purl]
			if !held[c.Name+"@"+c.Version] {
				t.Errorf("%s holds nothing of %s, which is listed", name, purl)
			}
			delete(held, c.Name+"@"+c.Version)
		}
		for left := range held {
			t.Errorf("%s holds %s, which is not listed", name, left)
		}
	}
	sums, dirs := (&sources{sum: sumOfTree(t)}).hashes(), map[string]string{}
	for _, m := range linked(t) {
		dirs[m.Path] = m.Dir
	}
	for purl := range libraries {
		c := parts[purl]
		again, err := (&module{Path: c.Name, Version: c.Version, Dir: dirs[c.Name]}).part(sums[c.Name+"@"+c.Version])
		if err != nil || !slices.Equal(again.Hashes, c.Hashes) || len(c.Licences) == 0 || c.PURL != purl {
			t.Errorf("%s is listed as %+v: %v", purl, c, err)
		}
	}
	if len(b.Components) != len(m.list.Functions)+len(libraries) || len(b.Dependencies) != len(m.list.Functions)+1 {
		t.Errorf("%d components and %d dependencies for %d functions and %d modules", len(b.Components), len(b.Dependencies), len(m.list.Functions), len(libraries))
	}
}

// vendored are the modules of others of which files lie in an archive, by what the go command builds with.
func vendored(t *testing.T, archive []byte) map[string]bool {
	t.Helper()
	files := contents(t, archive, func(name string) bool { return name == "vendor/modules.txt" })
	held, folders, module := map[string]bool{}, map[string]bool{}, ""
	for name := range files {
		folders[path.Dir(name)] = true
	}
	for line := range strings.Lines(files["vendor/modules.txt"]) {
		switch fields := strings.Fields(line); {
		case fields[0] == "#":
			module = fields[1] + "@" + fields[2]
		case fields[0] == "##":
		default:
			held[module] = true
			if !folders["vendor/"+fields[0]] {
				t.Errorf("the package %s has no file", fields[0])
			}
		}
	}
	return held
}

func sumOfTree(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// linked are the modules of others that any program of the tree links, tests left out.
func linked(t *testing.T) []*module {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=Standard,Module", "./functions/...", "./terraform/...", "./testdata/bench/...")
	cmd.Dir = top
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []*part
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p part
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if !p.Standard {
			all = append(all, &p)
		}
	}
	return used(all)
}

// Whatever is linked may be passed on: the command as well as the functions.
func TestLicences(t *testing.T) {
	t.Parallel()
	all := linked(t)
	if len(all) < 80 {
		t.Fatalf("only %d modules are linked", len(all))
	}
	for _, m := range all {
		if _, err := licencesOf(m); err != nil {
			t.Error(err)
		}
	}
}

// A module is not packed whose licence is missing, unknown, or asks for more than a notice.
func TestLicencesRefused(t *testing.T) {
	t.Parallel()
	mit := "Permission is hereby granted, free of charge, to any person\nobtaining a copy of this software"
	for name, test := range map[string]struct {
		files map[string]string
		want  []string // none: it is refused
	}{
		"MIT, in lines":          {map[string]string{"LICENSE": mit}, []string{"MIT"}},
		"two":                    {map[string]string{"LICENSE": mit, "LICENSE.apache": "Apache License\n   Version 2.0"}, []string{"Apache-2.0", "MIT"}},
		"two in one file":        {map[string]string{"LICENSE": "Apache License\nVersion 2.0\n\n---\n" + mit}, []string{"Apache-2.0", "MIT"}},
		"BSD of two clauses":     {map[string]string{"COPYING": bsd}, []string{"BSD-2-Clause"}},
		"BSD of three":           {map[string]string{"LICENCE.md": bsd + "... " + endorsement}, []string{"BSD-3-Clause"}},
		"a notice beside it":     {map[string]string{"LICENSE": mit, "NOTICE": "by somebody"}, []string{"MIT"}},
		"a notice alone":         {map[string]string{"NOTICE": "by somebody"}, nil},
		"none":                   {nil, nil},
		"BSD with advertising":   {map[string]string{"LICENSE": bsd + " " + advertising}, nil},
		"GPL":                    {map[string]string{"LICENSE": "GNU GENERAL PUBLIC\nLICENSE Version 3"}, nil},
		"MIT with a clause more": {map[string]string{"LICENSE": mit + "\n“Commons Clause” License Condition"}, nil},
		"an unknown second file": {map[string]string{"LICENSE": mit, "LICENSE.extra": "You owe us."}, nil},
	} {
		m := &module{Path: "example.com/m", Version: "v1.0.0", Dir: t.TempDir()}
		for file, text := range test.files {
			if err := os.WriteFile(filepath.Join(m.Dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := licencesOf(m); !slices.Equal(got, test.want) || (err == nil) != (test.want != nil) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
