package ledger

import (
	"strings"
	"testing"

	"ostiary.internal/shared/platform/fault"
)

func TestReadKeys(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", LeastKey)
	for _, c := range []struct {
		text string
		want []string
	}{
		{"1 " + long, []string{"1"}},
		{"2 " + long + "\n1 " + long + "\n", []string{"2", "1"}},
		{"2 " + long + "\r\n1 " + long + "\r\n", []string{"2", "1"}},
		{long, nil},
		{"1  " + long, nil},
		{"1 " + long + "\n\n2 " + long, nil},
	} {
		keys, err := ReadKeys([]byte(c.text))
		var got []string
		for _, k := range keys {
			if string(k.Secret) != long {
				t.Errorf("a key of %q is not what was written", c.text)
			}
			got = append(got, k.Version)
		}
		if (c.want == nil) != fault.Is(err, fault.Misconfigured) || strings.Join(got, " ") != strings.Join(c.want, " ") {
			t.Errorf("%d bytes: versions %v, want %v; %v", len(c.text), got, c.want, err)
		}
		if err != nil && strings.Contains(err.Error(), long) {
			t.Error("the error holds a key")
		}
	}
}
