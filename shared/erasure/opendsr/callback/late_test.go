package callback_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

// TestTriesForADay: who does not take a status is told again at growing intervals, holds up nobody else, and a person is told
// in the end.
func TestTriesForADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t, good, other)
	w.state.Status = opendsr.InProgress
	w.answer = func(out http.ResponseWriter, r *http.Request) {
		out.WriteHeader(map[string]int{"controller.example": 500, "other.example": 204}[r.Host])
	}
	w.hears(t, "begun", 2*time.Minute, "controller.example in_progress", "other.example in_progress")
	tries, began := 1, w.now
	for w.now.Before(began.Add(25 * time.Hour)) {
		tries += len(w.sweep(t, time.Minute))
	}
	if tries < 8 || tries > 12 {
		t.Errorf("tried %d times in a day", tries)
	}
	if text := w.log.String(); strings.Contains(text, "token") || strings.Contains(text, "controller.example") {
		t.Errorf("the log says %s", text)
	}
	if len(w.records) != 1 || w.records[0].Kind != record.Finding || w.records[0].Facts["event"] != "status_untaken" {
		t.Fatalf("on record %+v", w.records)
	}
	w.state.Status, w.answer, w.ended = opendsr.Completed, nil, true
	w.hears(t, "done", time.Minute, "controller.example completed", "other.example completed")
	if len(w.records) != 2 || w.records[1].Kind != record.Remediation || w.records[1].Result.State != record.Kept || w.records[1].Refs[0].ID != w.records[0].ID() {
		t.Errorf("on record %+v", w.records)
	}
}

// TestNeverTaken: what there is to say may change each day, as it does once the answer is late: since when nothing was taken counts,
// and not since when this was said. It is told once; that the request is over at last is no news of it being taken.
func TestNeverTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t, good)
	w.state.Status = opendsr.InProgress
	w.answer = func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(503) }
	w.sweep(t, 2*time.Minute)
	for range 4 * 24 {
		if w.now.Sub(start)/time.Hour%12 == 0 {
			w.state.Expected = w.state.Expected.AddDate(0, 0, 1)
		}
		w.sweep(t, time.Hour)
	}
	if len(w.records) != 1 || w.records[0].Kind != record.Finding {
		t.Fatalf("on record %+v", w.records)
	}
	w.ended = true
	w.state.Status = opendsr.Completed
	for range 26 {
		w.sweep(t, time.Hour)
	}
	if len(w.records) != 2 || w.records[1].Kind != record.Remediation || w.records[1].Result.State != record.Undetermined || w.kept(t) != 0 {
		t.Errorf("on record %+v, %d kept", w.records[1:], w.kept(t))
	}
}

// TestOwnSigner: a key or a certificate of ours that fails uses up nobody's day; what waits is said when it is put right.
func TestOwnSigner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	signer := w.Signer
	w.Signer = func(context.Context) (*opendsr.Signer, error) {
		return nil, fault.New(fault.Misconfigured, "the certificate is over")
	}
	w.register(t, good)
	w.state.Status = opendsr.InProgress
	failed := 0
	for range 3 * 24 {
		w.now = w.now.Add(time.Hour)
		w.wake(t)
		if _, err := w.Sweep(t.Context(), w.now); err != nil {
			failed++
		}
	}
	if failed < 24 || len(w.records) != 0 {
		t.Errorf("said so %d times, on record %+v", failed, w.records)
	}
	w.Signer = signer
	w.hears(t, "put right", time.Hour, "controller.example in_progress")
}

// TestLooksSeldom: a request that does not change is read once an hour; one that does within a minute, also while somebody tells of
// it, and one host that hangs holds up nobody.
func TestLooksSeldom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(t, good)
	looks, requests := 0, w.Requests
	w.Requests = func(ctx context.Context, tenant, of string) (opendsr.State, bool, error) {
		looks++
		return requests(ctx, tenant, of)
	}
	w.sweep(t, 2*time.Minute)
	looks = 0
	for range 10 * 60 {
		w.sweep(t, time.Minute)
	}
	if looks > 10 {
		t.Errorf("looked %d times in ten hours", looks)
	}
	w.answer = func(out http.ResponseWriter, _ *http.Request) {
		if w.state.Status == opendsr.InProgress { // it goes on while it is being told of
			w.state.Status = opendsr.Completed
			w.answer = nil
		}
		out.WriteHeader(202)
	}
	w.Post = func(post func(context.Context, string, map[string][]string, []byte) error) func(context.Context, string, map[string][]string, []byte) error {
		return func(ctx context.Context, url string, header map[string][]string, body []byte) error {
			err := post(ctx, url, header, body)
			w.wake(t)
			return err
		}
	}(w.Post)
	w.state.Status = opendsr.InProgress
	w.hears(t, "begun", time.Minute, "controller.example in_progress")
	w.hears(t, "and done", 2*time.Minute, "controller.example completed")
}
