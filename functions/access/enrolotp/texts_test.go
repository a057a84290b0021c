package enrolotp

import (
	"testing"

	"ostiary.internal/functions/access/internal/page"
	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/staffed"
)

// Whatever this function may answer, a person reads in her language what is the matter and what to do now.
func TestEveryProblemHasTexts(t *testing.T) {
	t.Parallel()
	e := &enrolotp{Staffed: &parts.Staffed{Staffed: &staffed.Staffed{Pages: page.New("enrolotp")}}}
	functiontest.Texts(t, e.Pages, append(e.api(), e.html()...)...)
}
