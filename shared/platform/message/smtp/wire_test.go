package smtp

import (
	"crypto/tls"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"ostiary.internal/shared/platform/message"
)

// TestAnswersSayHowItWent: whoever asked for a letter hears how its way was protected, whatever became of it; not of a server
// that was never reached.
func TestAnswersSayHowItWent(t *testing.T) {
	t.Parallel()
	refuse := func(int) error { return &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}} }
	for name, test := range map[string]struct {
		server   *server
		security Security
		state    message.State
		tls      string
	}{
		"taken":               {&server{}, StartTLS, message.StateAccepted, message.TLS13},
		"taken by an old one": {&server{newest: tls.VersionTLS12}, StartTLS, message.StateAccepted, message.TLS12},
		"from the first byte": {&server{}, Implicit, message.StateAccepted, message.TLS13},
		"on this machine":     {&server{}, Plain, message.StateAccepted, message.Plain},
		"refused":             {&server{onRcpt: refuse}, StartTLS, message.StateFailed, message.TLS13},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, test.server, test.security)
			d := newDesk(t, channel(t, s.address, test.security, s.roots, nil))
			d.deliver(d.request("ana", message.Customer, time.Time{}))
			if len(d.answers) != 1 || d.answers[0].State != test.state || d.answers[0].TLS != test.tls {
				t.Errorf("answered %+v", d.answers)
			}
		})
	}
	s, _ := converse(t, turn{".": cut})
	d := newDesk(t, channel(t, s.address, Plain, nil, nil))
	d.deliver(d.request("ana", message.Customer, time.Time{}))
	if len(d.answers) != 1 || d.answers[0].State != message.StateUnknown || d.answers[0].TLS != message.Plain {
		t.Errorf("cut after the content: %+v", d.answers)
	}
	gone := listen(t)
	_ = gone.Close()
	d = newDesk(t, channel(t, gone.Addr().String(), StartTLS, nil, nil))
	d.deliver(d.request("ana", message.Customer, time.Time{}))
	d.pass(26 * 60)
	if len(d.answers) != 1 || d.answers[0].State != message.StateDead || d.answers[0].TLS != "" {
		t.Errorf("nobody there: %+v", d.answers)
	}
}
