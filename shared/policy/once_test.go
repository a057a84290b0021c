package policy_test

import (
	"sync"
	"testing"

	"ostiary.internal/shared/policy"
)

// What is made of a policy is made once, whoever asks and however many at once; of another policy, or under another key,
// something else is made.
func TestOnce(t *testing.T) {
	t.Parallel()
	made := 0
	derive := func() *int { made++; return new(int) }
	var p, other policy.Policy
	first := policy.Once(&p, "a", derive)
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			if policy.Once(&p, "a", derive) != first {
				t.Error("made again")
			}
		})
	}
	asking.Wait()
	if policy.Once(&p, "b", derive) == first || policy.Once(&other, "a", derive) == first || made != 3 {
		t.Errorf("made %d times, want 3", made)
	}
}
