package trustpage

import (
	"testing"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/shell"
)

// Whatever this function may answer, a person reads in her language what is the matter and what to do now.
func TestEveryProblemHasTexts(t *testing.T) {
	t.Parallel()
	f := &trustpage{pages: shell.New("trustpage", content)}
	functiontest.Texts(t, f.pages, f.routes()...)
}
