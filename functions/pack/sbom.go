package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"ostiary.internal/functions/internal/manifest"
)

// sbomName is the list of parts in the folder of archives.
const sbomName = "sbom.cdx.json"

// bom is a software bill of materials as CycloneDX 1.5 has it (https://cyclonedx.org/docs/1.5/json/): which modules of others the
// archive of each function holds, where from and under which licence. It has no time and no random number: the same sources give
// the same bytes. Go itself is not in it, for Cloud Functions chooses the release it builds with.
type bom struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

// component is a function, or a module of others.
type component struct {
	Type     string          `json:"type"`
	Ref      string          `json:"bom-ref"`
	Name     string          `json:"name"`
	Version  string          `json:"version,omitempty"`
	Hashes   []hash          `json:"hashes,omitempty"`
	Licences []licenceChoice `json:"licenses,omitempty"`
	PURL     string          `json:"purl,omitempty"`
}

// hash is of a function's archive; or of a module, over the names and digests of its files, as go.sum has it ("h1:") in base64.
type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"` // hexadecimal
}

type licenceChoice struct {
	Licence struct {
		ID string `json:"id"`
	} `json:"license"`
}

// dependency names all that one component holds of others, near or far.
type dependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn,omitempty"`
}

// billOf lists the parts of a release, whose archives.json is text.
func (s *sources) billOf(list release, text []byte) (bom, error) {
	whole := component{Type: "application", Ref: "ostiary", Name: "ostiary", Version: "sha256:" + digest(text)}
	b := bom{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{whole}}
	holds := dependency{Ref: whole.Ref}
	modules := map[string]*module{}
	for _, f := range s.functions {
		own := dependency{Ref: "function:" + f.Name}
		for _, m := range s.modulesOf(f) {
			modules[m.Path] = m
			own.On = append(own.On, m.purl())
		}
		archive, _ := strings.CutPrefix(list.Functions[f.Name].Digest, "sha256:")
		b.Components = append(b.Components, component{Type: "application", Ref: own.Ref, Name: f.Name, Hashes: []hash{{"SHA-256", archive}}})
		b.Dependencies = append(b.Dependencies, own)
		holds.On = append(holds.On, own.Ref)
	}
	sums := s.hashes()
	for _, m := range modules {
		c, err := m.part(sums[m.Path+"@"+m.Version])
		if err != nil {
			return bom{}, err
		}
		b.Components = append(b.Components, c)
	}
	b.Dependencies = append(b.Dependencies, holds)
	slices.SortFunc(b.Components, func(a, c component) int { return strings.Compare(a.Ref, c.Ref) })
	slices.SortFunc(b.Dependencies, func(a, c dependency) int { return strings.Compare(a.Ref, c.Ref) })
	return b, nil
}

// modulesOf are the modules of others of which a function's archive holds packages, sorted by path.
func (s *sources) modulesOf(f manifest.Function) []*module { return used(s.closure(f)) }

// part is a module of others, with the hash that go.sum has of it and what its licence files say.
func (m *module) part(h1 string) (component, error) {
	c := component{Type: "library", Ref: m.purl(), Name: m.Path, Version: m.Version, PURL: m.purl()}
	sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(h1, "h1:"))
	if err != nil || len(sum) != sha256.Size {
		return c, fmt.Errorf("go.sum names no hash of %s %s: run go mod tidy", m.Path, m.Version)
	}
	c.Hashes = []hash{{"SHA-256", hex.EncodeToString(sum)}}
	ids, err := licencesOf(m)
	for _, id := range ids {
		var l licenceChoice
		l.Licence.ID = id
		c.Licences = append(c.Licences, l)
	}
	return c, err
}

// purl is a module's package URL (https://github.com/package-url/purl-spec), with its path as the go command spells it.
func (m *module) purl() string { return "pkg:golang/" + m.Path + "@" + url.QueryEscape(m.Version) }

// encode is the list as it is kept.
func (b bom) encode() ([]byte, error) {
	text, err := json.MarshalIndent(b, "", "  ")
	return append(text, '\n'), err
}
