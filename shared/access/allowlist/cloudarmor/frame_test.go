package cloudarmor

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/platform/fault"
)

// TestFrame: what decides about everybody and stands in no rule of ours. Rules, ours and others', are no part of it.
func TestFrame(t *testing.T) {
	t.Parallel()
	last := func(p *compute.SecurityPolicy) *compute.SecurityPolicyRule { return p.Rules[0] }
	for name, c := range map[string]struct {
		edit func(p *compute.SecurityPolicy)
		same bool
	}{
		"default rule lets in":      {edit: func(p *compute.SecurityPolicy) { last(p).Action = "allow" }},
		"default rule another deny": {edit: func(p *compute.SecurityPolicy) { last(p).Action = "deny(404)" }},
		"default rule a preview":    {edit: func(p *compute.SecurityPolicy) { last(p).Preview = true }},
		"default rule gone":         {edit: func(p *compute.SecurityPolicy) { p.Rules = p.Rules[1:] }},
		"address from a header": {edit: func(p *compute.SecurityPolicy) {
			p.AdvancedOptionsConfig = &compute.SecurityPolicyAdvancedOptionsConfig{UserIpRequestHeaders: []string{"X-Forwarded-For"}}
		}},
		"adaptive protection": {edit: func(p *compute.SecurityPolicy) {
			p.AdaptiveProtectionConfig = &compute.SecurityPolicyAdaptiveProtectionConfig{Layer7DdosDefenseConfig: &compute.SecurityPolicyAdaptiveProtectionConfigLayer7DdosDefenseConfig{Enable: true}}
		}},
		"type":                     {edit: func(p *compute.SecurityPolicy) { p.Type = "CLOUD_ARMOR_EDGE" }},
		"a word about the default": {edit: func(p *compute.SecurityPolicy) { last(p).Description = "Nobody else." }, same: true},
		"fingerprint":              {edit: func(p *compute.SecurityPolicy) { p.Fingerprint = "another" }, same: true},
		"a rule of ours":           {edit: func(p *compute.SecurityPolicy) { p.Rules[1].Action = "deny(403)" }, same: true},
		"a rule of others":         {edit: func(p *compute.SecurityPolicy) { p.Rules[2].Action = "allow" }, same: true},
		"another policy's name":    {edit: func(p *compute.SecurityPolicy) { p.Description, p.Labels = "Edge", nil }, same: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, _ := newFake(t, "global")
			f.Put(1001, "allow", "81.2.69.142/32")
			f.Put(5, "deny(403)", "9.9.9.9/32")
			p := f.Policy()
			if last(p).Priority != lastPriority {
				t.Fatalf("the first rule is %d", last(p).Priority)
			}
			before := read(p, span{1000, 1009}).observed().Frame
			c.edit(p)
			if after := read(p, span{1000, 1009}).observed().Frame; before == "" || (after == before) != c.same {
				t.Errorf("frame %q, before %q", after, before)
			}
		})
	}
}

// TestFrameRead: the frame is read at the wire, and stays when entries are written.
func TestFrameRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "europe-west9")
	target := w.open(t, 0, nil)
	frame := func() string {
		seen, err := target.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return seen.Frame
	}
	before := frame()
	if err := apply(t, target, many(0, 25, 0, 3)); err != nil || frame() != before || before == "" {
		t.Errorf("with entries the frame is %q, before %q, %v", frame(), before, err)
	}
	w.Put(lastPriority, "deny(502)", "*")
	if frame() == before {
		t.Error("another default rule is no other frame")
	}
}

// ending is a network whose caller's time is over before the n-th write.
type ending struct {
	left int
	stop context.CancelFunc
}

func (e *ending) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost && !strings.HasSuffix(r.URL.Path, "/wait") {
		if e.left--; e.left == 0 {
			e.stop()
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestGoesOn: a fill that takes longer than a call may says how far it came; the next goes on from there.
func TestGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	target := w.open(t, 0, &ending{left: 3, stop: cancel})
	seen, err := target.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s := many(0, 45, 0, 0)
	err = target.Apply(ctx, s, allowlist.Write{Etag: seen.Etag})
	if !fault.Is(err, fault.Transient) || !strings.Contains(err.Error(), "wrote 2 of 5 rules; the next run goes on") || strings.Contains(err.Error(), "81.") {
		t.Errorf("cut off before the third of five writes: %v", err)
	}
	target = w.open(t, 0, nil)
	w.Writes = nil
	if err := apply(t, target, s); err != nil || len(w.Writes) != 3 {
		t.Errorf("the next run wrote %v, %v", w.Writes, err)
	}
	holds(t, target, s)
}
