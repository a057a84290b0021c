package people

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
)

// chloe is somebody of the sample data, of two customers, who wrote a note that only a person can judge.
const chloe = "chloe.petit@mail.example"

// customer is Chloé's, whose employer uses the product: she has her data erased, and does not take our word for it.
func (c Company) customer() []Leg {
	c.T.Helper()
	s := c.server()
	p := c.sit(s, Size, "en")
	ask := c.begin(p, "Customer", "Ask to be forgotten, and confirm")
	ask.Go(s.URL + "/requesterasure/?lang=en")
	ask.Show("ask-phone")
	ask.Type("#email", chloe)
	ask.Type("#tenant", "Cabinet Nord")
	ask.Press("form[action$='/ask'] button")
	ask.time(func() { c.must(s.Settle()) })
	letter := c.letter(s, chloe)
	ask.Read(letter.Text)
	ask.Go(letter.Links[0])
	ask.Press("form[action$='/confirm'] button")
	ask.time(func() { c.must(s.Settle()) })

	desk := c.sit(s, browser.Desk, "en")
	desk.SignIn(walk.Email("dorothea.klein"), walk.Home)
	desk.Open(s.URL + "/decideerasure/?show=desk")
	desk.Press("a.item")
	c.shoot("plan", desk)
	desk.Press("form[action$='/reviewed'] button")
	desk.Press("form[action$='/approve'] button")
	c.must(s.Settle())
	c.must(s.Advance(time.Hour + 2*time.Minute)) // until it was searched again

	follow := c.begin(p, "Customer", "Follow the request, and check the receipt without us")
	mails := c.mails(s, chloe)
	follow.Read(mails[len(mails)-1].Text)
	p.Open("about:blank") // a mail opens another tab
	follow.Go(letter.Links[0])
	follow.Press("form[action$='/confirm'] button")
	follow.Show("erased-phone")
	follow.Click("form[action$='/receipt'] button")
	c.verified(follow, s)
	return []Leg{*ask.leg, *follow.leg}
}

// verified checks the receipt that the page offers, as its page says.
func (c Company) verified(h *hand, s *walk.Server) {
	c.T.Helper()
	folder, err := os.MkdirTemp("", "people")
	c.must(err)
	c.T.Cleanup(func() { os.RemoveAll(folder) })
	command := browser.Eval[string](h.Tab, `document.querySelector("section[aria-labelledby=receipt] code").textContent`)
	words := strings.Fields(command)
	if len(words) != 6 || words[0] != "ostiary" {
		c.T.Fatalf("the page has the receipt checked by %q", command)
	}
	signed := browser.Eval[string](h.Tab, `(async () => { const f = document.querySelector("form[action$='/receipt']");
		return (await fetch(f.action, {method: "POST", body: new URLSearchParams(new FormData(f))})).text(); })()`)
	c.must(os.WriteFile(filepath.Join(folder, words[3]), []byte(signed), 0o600))
	var keys json.RawMessage
	c.must(s.Call(http.MethodGet, "/trustpage/v1/receipts-trust.json", nil, nil, &keys))
	c.must(os.WriteFile(filepath.Join(folder, words[5]), keys, 0o600))
	h.leg.Taps++ // the link to the keys
	said := c.run(h, folder, words[1:]...)
	if !strings.Contains(said, "good") {
		c.T.Fatalf("%s says:\n%s", command, said)
	}
}

// letter is the newest mail somebody has that holds a link.
func (c Company) letter(s *walk.Server, to string) (newest walk.Mail) {
	c.T.Helper()
	for _, m := range c.mails(s, to) {
		if len(m.Links) > 0 {
			newest = m
		}
	}
	if newest.Text == "" {
		c.T.Fatalf("%s has no mail with a link", to)
	}
	return newest
}

// mails are what somebody has, the newest last.
func (c Company) mails(s *walk.Server, to string) []walk.Mail {
	c.T.Helper()
	hers, err := s.Mails(to)
	c.must(err)
	return hers
}
