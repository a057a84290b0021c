package erasetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// person is a document of one person.
func person(uid string, more ...map[string]any) map[string]any {
	d := map[string]any{
		FieldUID: uid, FieldEmail: uid + "@example.org", FieldName: "Name of " + uid, FieldCity: "Nantes", FieldBorn: "1990-05-17",
		FieldNote: "called on Monday", FieldAmount: int64(12), FieldCreated: start.Format("2006-01-02T15:04:05Z"),
	}
	for _, m := range more {
		for field, value := range m {
			if value == nil {
				delete(d, field)
			} else {
				d[field] = value
			}
		}
	}
	return d
}

// clean fails the test where an error names a person.
func clean(t testing.TB, err error) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), Mark+"-") {
		t.Errorf("an error names a person: %v", err)
	}
}

func wants(t testing.TB, what string, err error, kind fault.Kind) {
	t.Helper()
	clean(t, err)
	if !fault.Is(err, kind) {
		t.Errorf("%s: error %v is of kind %q, want %s", what, err, fault.KindOf(err), kind)
	}
}

// endless is the number of pages no walk of the suite has.
const endless = 3000

// find walks to the end by pages of limit.
func (s *scene) find(t testing.TB, q erasure.Query, limit int) (items []erasure.Item) {
	t.Helper()
	for cursor, pages := "", 0; ; pages++ {
		page, err := s.Reader().Find(t.Context(), q, cursor, limit)
		if err != nil {
			clean(t, err)
			t.Fatalf("finding by %s: %v", q.Match.Kind, err)
		}
		if len(page.Items) > limit || pages > endless {
			t.Fatalf("page %d has %d items; asked for %d", pages, len(page.Items), limit)
		}
		items = append(items, page.Items...)
		if cursor = page.Next; cursor == "" {
			return items
		}
	}
}

// mine are the items that tell the tenant of the query.
func mine(q erasure.Query, items []erasure.Item) (own []erasure.Item) {
	for _, i := range items {
		if i.Tenant == q.Tenant.ID {
			own = append(own, i)
		}
	}
	return own
}

func (s *scene) erase(t testing.TB, q erasure.Query, items []erasure.Item) []erasure.Outcome {
	t.Helper()
	results, err := s.Store().Erase(t.Context(), q, items)
	if err != nil {
		clean(t, err)
		t.Fatalf("erasing by %s: %v", q.Match.Kind, err)
	}
	if len(results) != len(items) {
		t.Fatalf("%d results of %d items", len(results), len(items))
	}
	outcomes := make([]erasure.Outcome, len(results))
	for i, r := range results {
		if outcomes[i] = r.Outcome; r.Ref != items[i].Ref {
			t.Fatalf("result %d is of another item", i)
		}
	}
	return outcomes
}

// finish erases what q finds until it finds nothing of the tenant that is left to do.
func (s *scene) finish(ctx context.Context, q erasure.Query, limit int) (erased int, err error) {
	for range 1000 {
		left := 0
		for cursor, pages := "", 0; ; pages++ {
			page, err := s.Store().Find(ctx, q, cursor, limit)
			if err != nil {
				return erased, fmt.Errorf("finding: %w", err)
			}
			var todo []erasure.Item
			for _, i := range mine(q, page.Items) {
				if !i.Clean {
					todo = append(todo, i)
				}
			}
			left += len(todo)
			results, err := s.Store().Erase(ctx, q, todo)
			for _, r := range results {
				if r.Outcome == erasure.OutcomeErased {
					erased++
				}
			}
			if err != nil {
				return erased, fmt.Errorf("erasing: %w", err)
			}
			if cursor = page.Next; cursor == "" {
				break
			}
			if pages == endless {
				return erased, fault.New(fault.Invalid, "a walk does not end")
			}
		}
		if left == 0 {
			return erased, nil
		}
	}
	return erased, fault.New(fault.Invalid, "a thousand walks were not enough")
}

// holds fails unless the tenant has the document under the name.
func (s *scene) holds(t testing.TB, tenant, name string, want map[string]any) {
	t.Helper()
	got, found := s.Get(t, tenant, name)
	if !found || text(got) != text(want) {
		t.Errorf("%q of %q is %s (%t), want %s", name, tenant, text(got), found, text(want))
	}
}

func (s *scene) gone(t testing.TB, tenant, name string) {
	t.Helper()
	if got, found := s.Get(t, tenant, name); found {
		t.Errorf("%q of %q is still there: %s", name, tenant, text(got))
	}
}

// text is a document without what is null.
func text(d map[string]any) string {
	kept := map[string]any{}
	for field, value := range d {
		if inner, isMap := value.(map[string]any); isMap {
			value = json.RawMessage(text(inner))
		}
		if value != nil {
			kept[field] = value
		}
	}
	b, err := json.Marshal(kept)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func same(outcomes []erasure.Outcome, want erasure.Outcome) bool {
	for _, o := range outcomes {
		if o != want {
			return false
		}
	}
	return true
}
