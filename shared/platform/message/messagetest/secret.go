package messagetest

import (
	"testing"

	"ostiary.internal/shared/platform/secret"
	"ostiary.internal/shared/platform/secret/file"
)

// Secret returns a real secret store that holds one value under a name.
func Secret(t *testing.T, name, value string) secret.Store {
	t.Helper()
	dir := t.TempDir()
	s := file.New(dir+"/secrets", dir+"/key", nil)
	if _, err := s.Put(t.Context(), name, []byte(value)); err != nil {
		t.Fatal(err)
	}
	return s
}
