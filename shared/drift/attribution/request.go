package attribution

import (
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
)

// addressing are members of a request that say what it is about, and nothing of how it should be.
var addressing = []string{"@type", "name", "project", "zone", "region", "instance", "parent", "kind", "etag", "fingerprint", "labelFingerprint", "selfLink", "id", "updateMask", "requestId", "validateOnly"}

// body is the part of a request that is shaped as the asset is, or as the mask says: itself, or one of its members.
func body(request, was asset.Object, mask []string) asset.Object {
	best, most := request, fits(request, was, mask)
	if was == nil {
		for _, name := range []string{"body", "resource"} {
			if inner, is := request[name].(asset.Object); is {
				return inner
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(request)) {
		if inner, is := request[name].(asset.Object); is && fits(inner, was, mask) > most {
			best, most = inner, fits(inner, was, mask)
		}
	}
	return best
}

func fits(o, was asset.Object, mask []string) (n int) {
	for name := range o {
		_, there := was[called(name, was)]
		if (there || touches(mask, name)) && !slices.Contains(addressing, name) {
			n++
		}
	}
	return n
}

// called is what a field of a request is called in the asset: logs of Compute Engine write a few lists in the plural.
func called(name string, was asset.Object) string {
	if _, there := was[name]; there {
		return name
	}
	if singular := strings.TrimSuffix(name, "s"); singular == "allowed" || singular == "denied" {
		return singular
	}
	return name
}

// masked are the fields a request is about, where it says so; nil: all of it.
func masked(request asset.Object) (paths []string) {
	var given []string
	switch mask := request["updateMask"].(type) {
	case string:
		given = strings.Split(mask, ",")
	case asset.Object:
		list, _ := mask["paths"].([]any)
		for _, one := range list {
			text, _ := one.(string)
			given = append(given, text)
		}
	}
	for _, path := range given {
		if path = camel(strings.TrimSpace(path)); path != "" && path != "*" {
			paths = append(paths, path)
		}
	}
	return paths
}

// camel writes snake_case as the data of assets is written.
func camel(path string) string {
	words := strings.Split(path, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

// touches reports whether a path is one of some, lies in one, or holds one.
func touches(paths []string, path string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return p == path || below(path, p) || below(p, path) })
}

// below reports whether a path lies in another.
func below(path, in string) bool { return strings.HasPrefix(path, in+".") }
