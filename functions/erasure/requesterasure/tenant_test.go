package requesterasure

import (
	"testing"

	"ostiary.internal/functions/internal/functiontest"
)

// An organisation is found by what people call it; nobody learns whether it is one.
func TestTenant(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	a := &asking{}
	a.Parts = partsOf(t, w)
	for words, want := range map[string]string{
		"cabinet-nord": "cabinet-nord", "Cabinet Nord": "cabinet-nord", " cabinet   NORD ": "cabinet-nord", "www.CabinetNord.example": "cabinet-nord",
		"Banque du Port": "banque-du-port", "Nobody & Sons": "Nobody---Sons", "???": "unknown-a03b221c6c6eae71", "  ": "", "-x-": "x",
	} {
		if got := a.tenant(words); got != want {
			t.Errorf("%q is %q, not %q", words, got, want)
		}
	}
}
