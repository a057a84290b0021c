package page

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/notice"
)

// Whoever writes a notice is told to which of its customers' contacts nobody made sure of for half a year.
func TestStaleContacts(t *testing.T) {
	t.Parallel()
	s := New("declarebreach")
	sc := declared(t, s, true, false, "northwind", "banque-du-port")
	for _, one := range []struct {
		days   int
		chosen []string
		want   []string
	}{{0, nil, nil}, {200, nil, []string{"Northwind Trading", "Banque du Port"}}, {200, []string{"northwind"}, []string{"Northwind Trading"}}} {
		d := reader(t, s, "simone", "en", time.Duration(one.days)*24*time.Hour).NewDraft(sc.c, notice.Initial, one.chosen, "")
		if !slices.Equal(d.Stale, one.want) {
			t.Errorf("after %d days, for %v: %v", one.days, one.chosen, d.Stale)
		}
		if text := rendered(t, s, "draft", "fr", d); strings.Contains(text, "personne n’a vérifiés") != (len(one.want) > 0) {
			t.Errorf("after %d days, for %v, the page does not say so", one.days, one.chosen)
		}
	}
}
