package walk_test

import (
	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/functions/internal/walk/walktest"

	"os"
	"strings"
	"testing"
)

var stage walktest.Stage

func TestMain(m *testing.M) { os.Exit(stage.Run(m, walktest.Servers)) }

var emma, simone, stefan, asha = walk.Email("emma.dubois"), walk.Email("simone.bernard"), walk.Email("stefan.weber"), walk.Email("asha.iyer")

// unseen checks that a secret stands in no URL the browser went to and nowhere on the page.
func unseen(t *testing.T, p *walktest.Person, secrets ...string) {
	t.Helper()
	source, history, requests := p.Source(), p.History(), p.Requests()
	for _, secret := range secrets {
		if strings.Contains(source, secret) {
			t.Errorf("a secret stands on %s", p.URL())
		}
		if strings.Contains(strings.Join(append(history, requests...), " "), secret) {
			t.Error("a secret stands in a URL")
		}
	}
}
