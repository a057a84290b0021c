package shell

import (
	"testing"
	"time"
)

func TestDay(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	for lang, want := range map[string]string{"en": "Friday 1 May", "fr": "vendredi 1er mai", "de": "Freitag, 1. Mai"} {
		if got := Day(lang, first); got != want {
			t.Errorf("Day(%s) = %q, want %q", lang, got, want)
		}
	}
}

func TestUntil(t *testing.T) {
	t.Parallel()
	if got := Until(time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)); got != "24:00" {
		t.Errorf("midnight reads %q", got)
	}
	if got := Until(time.Date(2026, 3, 4, 20, 30, 0, 0, time.UTC)); got != "20:30" {
		t.Errorf("half past eight reads %q", got)
	}
}
