package people

import (
	"strings"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
)

// lead is Stefan's, who has security and is on call: at three in the morning somebody acts as three users of a customer in
// Emma's name.
func (c Company) lead() []Leg {
	c.T.Helper()
	s := c.server()
	c.must(s.Skip(18*time.Hour + 5*time.Minute)) // to 03:00 in Paris and Berlin
	emma, stefan := c.sit(s, Size, "en"), c.sit(s, Size, "en")
	for p, who := range map[*walk.Person]string{emma: "emma.dubois", stefan: "stefan.weber"} {
		p.SignIn(walk.Email(who), walk.Home)
	}
	now, err := s.Now()
	c.must(err)
	for i := range 3 {
		c.must(s.Log(walk.ActAs(i, now.Add(time.Duration(i-3)*time.Minute))))
	}

	alarm := c.begin(stefan, "Security lead", "03:00: the alarm mail, and who did what to whom")
	called := c.about(s, walk.Email("stefan.weber"), "/justify/")
	alarm.Read(called.Text)
	alarm.Go(called.Links[0])
	alarm.Show("alarm-phone")
	alarm.reach("section[aria-labelledby=seen] li:last-child")
	for _, what := range []string{"emma.dubois@", "cabinetnord.example", "u-17", "203.0.113.9"} {
		if seen := stefan.Text("section[aria-labelledby=seen]"); !strings.Contains(seen, what) {
			c.T.Fatalf("%s is not among what was seen:\n%s", what, seen)
		}
	}

	// Emma, whom he rings up, says by the mail she has that it was not she.
	emma.Open(c.about(s, walk.Email("emma.dubois"), "/justify/").Links[0])
	emma.Click("details summary")
	emma.Click("input[name=sure]")
	emma.Press("details form button")
	c.must(s.Settle())

	breach := c.begin(stefan, "Security lead", "“It was not me”: take the case on, and make a breach of it")
	called = c.about(s, walk.Email("stefan.weber"), "/declarebreach/")
	breach.Read(called.Text)
	breach.Go(called.Links[0])
	breach.Press("form[action$='/ack'] button")
	breach.Type("#triage-reason", "She slept; her session came from elsewhere.")
	breach.Press("button[name=result][value=confirmed]")
	if said := browser.Eval[string](breach.Tab, `document.querySelector("section[aria-labelledby=tracks]").innerText`); !strings.Contains(said, "Cabinet Nord") {
		c.T.Fatalf("whose data it is: %s", said) // the log said it
	}
	breach.reach("svg.clocks")
	breach.Show("breach-phone")
	c.quiet(stefan)
	return []Leg{*alarm.leg, *breach.leg}
}

// about is the newest mail somebody has whose link leads to pages below a path.
func (c Company) about(s *walk.Server, to, path string) (newest walk.Mail) {
	c.T.Helper()
	var had []string
	for _, m := range c.mails(s, to) {
		had = append(had, m.Subject)
		if len(m.Links) > 0 && strings.Contains(m.Links[0], path) {
			newest = m
		}
	}
	if newest.Text == "" {
		c.T.Fatalf("%s has no mail that leads to %s, but %q", to, path, had)
	}
	return newest
}
