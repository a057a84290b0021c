package baseline

import (
	"regexp"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/policy"
)

// What an asset may hold. It is stored; "" is nothing anybody spoke of.
const (
	Personal = "personal" // data of people
	Secret   = "secret"   // what opens something else
)

// Label is the label of Google Cloud by which a company says of a resource what it holds: [Personal] or [Secret].
const Label = "data_class"

// secretive are types that hold nothing but secrets.
var secretive = map[string]bool{"secretmanager.googleapis.com/Secret": true, "cloudkms.googleapis.com/CryptoKey": true}

// Holds says what an asset holds: its label does, its type, or datamap.yaml, which names buckets and Firestore databases
// with personal data; "" where nobody says. kind and key are the asset's; a may be nil, where it is not there any more.
func (s *Set) Holds(kind, key string, a *asset.Asset) string {
	if s == nil {
		return ""
	}
	switch class := labelled(a); {
	case secretive[kind], class == Secret:
		return Secret
	case class == Personal:
		return Personal
	}
	for _, place := range s.world.stores {
		if place.MatchString(key) {
			return Personal
		}
	}
	return ""
}

func labelled(a *asset.Asset) string {
	if a == nil {
		return ""
	}
	settings, _ := a.Data["settings"].(asset.Object) // of a database of Cloud SQL
	for _, labels := range []any{a.Data["labels"], settings["userLabels"], a.Data["resourceLabels"]} {
		if m, is := labels.(asset.Object); is {
			if class, is := m[Label].(string); is {
				return class
			}
		}
	}
	return ""
}

// gap is a part of the name of a store that differs by tenant or region.
var gap = regexp.MustCompile(`\\\{[a-z_]+\\\}`)

// stores are the keys of what datamap.yaml says that personal data lies in, as far as they are resources of Google Cloud. What
// is wrong with the file others tell.
func stores(p *policy.Policy) (all []*regexp.Regexp) {
	var file struct {
		Entries []struct {
			Store string `yaml:"store"`
		} `yaml:"entries"`
	}
	_, _ = p.Decode("datamap.yaml", &file)
	seen := map[string]bool{}
	for _, e := range file.Entries {
		scheme, rest, _ := strings.Cut(e.Store, "://")
		name, database, _ := strings.Cut(rest, "/")
		key := ""
		switch scheme {
		case "gcs":
			key = "//storage.googleapis.com/" + name
		case "firestore":
			key = "//firestore.googleapis.com/projects/" + name + "/databases/" + database
		}
		if key == "" || name == "" || seen[key] {
			continue
		}
		seen[key] = true
		for _, one := range inProjects(p, key) {
			all = append(all, regexp.MustCompile("^"+gap.ReplaceAllString(regexp.QuoteMeta(one), "[A-Za-z0-9._-]+")+"$"))
		}
	}
	return all
}

// inProjects is a key in each live project, where it names none itself.
func inProjects(p *policy.Policy, key string) (all []string) {
	if !strings.Contains(key, "{project}") {
		return []string{key}
	}
	for _, e := range p.Company.Environments {
		if e.Kind == policy.Live {
			all = append(all, strings.ReplaceAll(key, "{project}", e.Project))
		}
	}
	return all
}
