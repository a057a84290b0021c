package probe

import (
	"context"
	"errors"
	"testing"
)

// answers is an eye that sees one answer: port 80 of a test machine is nobody's to listen on.
type answers struct {
	Eye
	Answer
	err error
}

// Shake meets the host itself.
func (a answers) Shake(context.Context, string, int) (Handshake, error) {
	return Handshake{Version: 13, Trusted: true}, nil
}

func (a answers) Ask(context.Context, string, string) (Answer, error) { return a.Answer, a.err }

func TestRedirect(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		eye        answers
		seen, good bool
	}{
		"to https":             {answers{Answer: Answer{Status: 301, Location: "https://www.acme.example/"}}, true, true},
		"with its port":        {answers{Answer: Answer{Status: 308, Location: "https://www.acme.example:443/x"}}, true, true},
		"nobody listens":       {answers{Answer: Answer{Closed: true}}, true, true},
		"answered in clear":    {answers{Answer: Answer{Status: 200}}, true, false},
		"to http":              {answers{Answer: Answer{Status: 301, Location: "http://www.acme.example/"}}, true, false},
		"to another host":      {answers{Answer: Answer{Status: 301, Location: "https://www.other.example/"}}, true, false},
		"to a name alike":      {answers{Answer: Answer{Status: 301, Location: "https://www.acme.example@evil.example/"}}, true, false},
		"refused, not moved":   {answers{Answer: Answer{Status: 403, Location: "https://www.acme.example/"}}, true, false},
		"could not be reached": {answers{err: errors.New("no route")}, false, false},
	} {
		s := &Service{Config{Eye: test.eye}}
		if got := s.redirect(t.Context(), "www.acme.example:443"); got.Seen != test.seen || got.Good != test.good {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
