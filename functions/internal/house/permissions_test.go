package house

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/bus/pubsub"
	"ostiary.internal/shared/platform/directory/workspace"
	"ostiary.internal/shared/platform/seal/kms"
	"ostiary.internal/shared/platform/secret/secretmanager"
	"ostiary.internal/shared/platform/store/firestore"
)

// A manifest lists, on each resource, what the driver of that resource asks for: more fails, fewer fails. Keys are the
// exception: a function may be let to encrypt or to decrypt alone, as the next test says; each function's own tests run
// with the rights of its manifest and no other, so that too few of them show there.
func TestManifestsListWhatDriversAskFor(t *testing.T) {
	t.Parallel()
	for _, f := range manifests(t) {
		listed := map[string][]string{}
		for _, p := range f.Permissions {
			listed[p.Resource] = append(listed[p.Resource], p.Permission)
		}
		for resource, have := range listed {
			slices.Sort(have)
			kind, _, _ := strings.Cut(resource, ":")
			want, partial := asked(kind)
			switch {
			case want == nil && kind != "bucket":
				t.Errorf("%s: nothing here asks for anything on %s", f.Name, resource)
			case want != nil && !partial && !slices.Equal(have, want):
				t.Errorf("%s on %s: the manifest lists %v, the driver asks for %v", f.Name, resource, have, want)
			case partial && slices.ContainsFunc(have, func(p string) bool { return !slices.Contains(want, p) }):
				t.Errorf("%s on %s: the manifest lists %v, the driver asks for no more than %v", f.Name, resource, have, want)
			}
		}
	}
}

// asked is everything a driver asks for on a kind of resource, and whether a function may need only part of it.
func asked(kind string) (permissions []string, partial bool) {
	tables := map[string]map[string][]string{
		"database": firestore.Permissions, "topic": pubsub.Permissions, "secret": secretmanager.Permissions, "key": kms.Permissions, "directory": workspace.Permissions,
	}
	for _, list := range tables[kind] {
		permissions = append(permissions, list...)
	}
	all := slices.Sorted(slices.Values(permissions))
	return slices.Compact(all), kind == "key"
}

// Who may open one-time-password secrets is written down here too, so that no manifest widens it unseen.
func TestWhoMayUseKeys(t *testing.T) {
	t.Parallel()
	const use = "cloudkms.cryptoKeyVersions.useTo"
	want := map[string]string{
		"registerip": "key:message Encrypt, key:otp Decrypt", "checkotp": "key:message Encrypt, key:otp Decrypt",
		"enrolotp": "key:message Encrypt, key:otp Decrypt, key:otp Encrypt", "deliver": "key:message Decrypt",
	}
	have := map[string]string{}
	for _, f := range manifests(t) {
		var keys []string
		for _, p := range f.Permissions {
			if verb, ok := strings.CutPrefix(p.Permission, use); ok {
				keys = append(keys, p.Resource+" "+verb)
			}
		}
		if len(keys) > 0 {
			have[f.Name] = strings.Join(slices.Sorted(slices.Values(keys)), ", ")
		}
	}
	if !maps.Equal(have, want) {
		t.Errorf("keys are used by %v, want %v", have, want)
	}
}
