package erasure

import "testing"

func TestBare(t *testing.T) {
	t.Parallel()
	for store, want := range map[string]string{
		"firestore://acme/main":                                        "firestore://acme/main",
		"gcs://acme-files":                                             "gcs://acme-files",
		"https://desk.example/eu/erasure?secret=desk-read":             "https://desk.example/eu/erasure",
		"postgres://reader:p%40ss@db.example:5432/crm?secret=crm-read": "postgres://db.example:5432/crm",
		"mongodb://eraser@a.example,b.example/app":                     "mongodb://a.example,b.example/app",
		"https://desk.example/p@th":                                    "https://desk.example/p@th",
		"gcs://":                                                       "gcs://",
	} {
		if got := Bare(store); got != want {
			t.Errorf("%s: %s, want %s", store, got, want)
		}
	}
}
