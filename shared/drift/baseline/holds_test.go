package baseline

import (
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/policy"
)

func holding(t *testing.T) *Set {
	t.Helper()
	p, _, err := policy.Load(fstest.MapFS{
		"acme/company.yaml": {Data: []byte(`company: {name: Acme, domains: [acme.example], zone: UTC, country: FR, languages: [en], environments: [{id: live, project: acme-live, kind: live}, {id: test, project: acme-test, kind: staging}]}`)},
		"acme/datamap.yaml": {Data: []byte("identifiers: [{id: email}]\nentries:\n  - {id: a, store: 'firestore://{project}/main', place: x}\n  - {id: b, store: 'gcs://acme.files-{region}', more: [1]}\n  - {id: c, store: 'postgres://u@db/acme'}\n  - {id: d, store: 'gcs://'}\n  - {id: e, store: 'firestore://acme-other/(default)'}\n")},
		"acme/baseline/size.yaml": {Data: []byte(`what: {en: a, fr: a, de: a}
asset: [storage.googleapis.com/Bucket]
assert: ['data.n > 1.0']
severity: medium
`)},
	}, "acme")
	if err != nil {
		t.Fatal(err)
	}
	s, problems := Load(p)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return s
}

// What holds personal data, or secrets, is told by its label, by its type, or by the data map; nothing else is.
func TestHolds(t *testing.T) {
	t.Parallel()
	s := holding(t)
	label := func(path, class string) *asset.Asset {
		labels := asset.Object{Label: class, "team": "personal"}
		if path == "settings" {
			return &asset.Asset{Data: asset.Object{"settings": asset.Object{"userLabels": labels}}}
		}
		return &asset.Asset{Data: asset.Object{path: labels}}
	}
	const bucket, database, instance = "storage.googleapis.com/Bucket", "firestore.googleapis.com/Database", "sqladmin.googleapis.com/Instance"
	for name, c := range map[string]struct {
		kind, key string
		a         *asset.Asset
		want      string
	}{
		"of the map":                {bucket, "//storage.googleapis.com/acme.files-europe-west1", nil, Personal},
		"a dot is a dot":            {bucket, "//storage.googleapis.com/acmeXfiles-europe-west1", nil, ""},
		"longer":                    {bucket, "//storage.googleapis.com/acme.files-europe-west1/x", nil, ""},
		"of another company":        {bucket, "//storage.googleapis.com/other", &asset.Asset{}, ""},
		"a database":                {database, "//firestore.googleapis.com/projects/acme-live/databases/main", nil, Personal},
		"the database of tests":     {database, "//firestore.googleapis.com/projects/acme-test/databases/main", nil, ""},
		"a project that is named":   {database, "//firestore.googleapis.com/projects/acme-other/databases/(default)", nil, Personal},
		"by label":                  {instance, "x", label("labels", "personal"), Personal},
		"of a database by label":    {instance, "x", label("settings", "secret"), Secret},
		"of a cluster by label":     {"container.googleapis.com/Cluster", "x", label("resourceLabels", "personal"), Personal},
		"a label of another value":  {instance, "x", label("labels", "public"), ""},
		"a secret":                  {"secretmanager.googleapis.com/Secret", "x", nil, Secret},
		"a secret labelled as less": {"secretmanager.googleapis.com/Secret", "x", label("labels", "personal"), Secret},
		"a key":                     {"cloudkms.googleapis.com/CryptoKey", "x", nil, Secret},
	} {
		if got := s.Holds(c.kind, c.key, c.a); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if (*Set)(nil).Holds(bucket, "x", nil) != "" {
		t.Error("no policy says something")
	}
}

// The same assertion weighs one step more of what holds personal data, and in a project for tests one step less.
func TestHoldsWeighs(t *testing.T) {
	t.Parallel()
	s := holding(t)
	live := &Live{Inventory: asset.NewInventory(), Now: time.Now()}
	for _, c := range []struct {
		name, project, class string
		want                 policy.Severity
	}{
		{"plain", "acme-live", "", policy.Medium}, {"acme.files-eu", "acme-live", Personal, policy.High}, {"acme.files-eu", "acme-test", Personal, policy.Medium}, {"plain", "acme-test", "", policy.Low},
	} {
		a := &asset.Asset{Key: "//storage.googleapis.com/" + c.name, Type: "storage.googleapis.com/Bucket", Project: c.project, Data: asset.Object{"n": 1.0}}
		if got := s.Judge(a, live); len(got) != 1 || got[0].Verdict != OutOfOrder || got[0].Severity != c.want || got[0].Data != c.class {
			t.Errorf("%s in %s: %+v", c.name, c.project, got)
		}
	}
}
