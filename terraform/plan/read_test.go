package plan

import (
	"fmt"
	"slices"
	"testing"
)

// TestDeleted: what goes away is apart; what is made anew is in both lists.
func TestDeleted(t *testing.T) {
	t.Parallel()
	change := func(address, actions string) string {
		return fmt.Sprintf(`{"address":%q,"mode":"managed","type":"google_kms_crypto_key","name":"extra","change":{"actions":%s,"before":{"name":"it was"},"after":null,"after_unknown":false}}`, address, actions)
	}
	text := `{"resource_changes":[` + change("gone", `["delete"]`) + "," + change("anew", `["delete","create"]`) + "," + change("same", `["no-op"]`) + `]}`
	p, err := Read([]byte(text), tree, "live")
	if err != nil {
		t.Fatal(err)
	}
	names := func(all []*Resource) (names []string) {
		for _, r := range all {
			names = append(names, r.Address)
		}
		return names
	}
	if there, gone := names(p.Resources), names(p.Deleted); !slices.Equal(there, []string{"anew", "same"}) || !slices.Equal(gone, []string{"gone", "anew"}) {
		t.Errorf("there %v, gone %v", there, gone)
	}
	if was := p.Deleted[0].Text("name"); was != "it was" {
		t.Errorf("what goes was called %q", was)
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	good := shown(t, nil, "google_kms_crypto_key.extra")
	for what, c := range map[string]struct {
		text   []byte
		folder string
	}{
		"no JSON": {[]byte("Plan: 3 to add"), "live"}, "no plan": {[]byte(`{"values":{}}`), "live"}, "no folder": {good, "elsewhere"},
	} {
		if _, err := Read(c.text, tree, c.folder); err == nil {
			t.Errorf("%s was read", what)
		}
	}
	p, err := Read(shown(t, nil, "module.base.google_kms_crypto_key.unheard", "module.unheard.google_kms_crypto_key.seal", "module..google_kms_crypto_key.seal"), tree, "live")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Resources {
		if _, found := p.Block(r); found || p.Origins(r, "name") != nil {
			t.Errorf("%s stands nowhere, and was found", r.Address)
		}
	}
}
