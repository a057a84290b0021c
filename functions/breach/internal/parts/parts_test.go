package parts

import (
	"testing"
	"time"

	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/breach/notice"
)

// TestArrivals: of several arrivals at a tenant the first counts, in whatever order they are heard of.
func TestArrivals(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	got := arrivals([]notice.Told{{Tenant: "nord", At: at.Add(time.Hour)}, {Tenant: "nord", At: at}, {Tenant: "sued", At: at.Add(time.Minute)}, {Tenant: "nord", At: at.Add(2 * time.Hour)}})
	if len(got) != 2 || !got["nord"].Equal(at) || !got["sued"].Equal(at.Add(time.Minute)) {
		t.Errorf("%v", got)
	}
}

// TestBeside: who has a way around by mail and one by text messages is found by the one that is meant.
func TestBeside(t *testing.T) {
	t.Parallel()
	p := &Parts{Breach: breach.Policy{OutOfBand: []breach.Other{
		{Tenant: "nord", Channel: "sms", To: "+33000000001"}, {Person: "otto", Channel: "mail", To: "otto@elsewhere.example"}, {Person: "otto", Channel: "sms", To: "+33000000002"},
	}}}
	for _, one := range []struct{ person, channel, to string }{{"otto", "sms", "+33000000002"}, {"otto", "mail", "otto@elsewhere.example"}, {"vera", "sms", ""}, {"", "sms", ""}, {"otto", "chat", ""}} {
		if to, ok := p.beside(one.person, one.channel); to != one.to || ok != (to != "") {
			t.Errorf("%s by %s: %q, %t", one.person, one.channel, to, ok)
		}
	}
}
