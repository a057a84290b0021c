package runerasure

import (
	"encoding/json"
	"testing"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/bus"
)

// TestOtherTenant: a message that names a request under another tenant than its own is set aside, with nothing done for it;
// the same under its own is worked on.
func TestOtherTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := w.Ask("planerasure", erasuretest.Nord)
	w.Deliver(t)
	before := w.Request(asked.ID)
	push := func(tenant string) functiontest.Answer {
		data, err := json.Marshal(request.Notice{V: 1, Request: asked.ID, Tenant: tenant})
		if err != nil {
			t.Fatal(err)
		}
		return w.Event(t, me, functiontest.Push(me, functiontest.Published{
			Topic: request.TopicRun, At: w.Clock.Now(), Message: bus.Message{Data: data, Attributes: map[string]string{bus.AttributeID: "again " + tenant}},
		}))
	}
	violations := func() (n int) {
		for _, r := range w.Records(t) {
			if r.Facts["event"] == "foreign_message" {
				n++
			}
		}
		return n
	}
	for _, tenant := range []string{"somebody-else", ""} {
		push(tenant).Want(t, 204, "")
		if after := w.Request(asked.ID); after.Rev != before.Rev || after.Tenant == tenant {
			t.Errorf("under %q the request became %+v", tenant, after)
		}
	}
	if n := violations(); n != 1 {
		t.Errorf("%d records of it in one day", n)
	}
	push(before.Tenant).Want(t, 204, "")
	if n := violations(); n != 1 {
		t.Errorf("%d records after one under its own tenant", n)
	}
}
