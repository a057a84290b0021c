package main

import (
	"encoding/json"
	"net/http"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
)

// her is somebody of the sample data who wrote a note that only a person can judge.
const her = "chloe.petit@mail.example"

// erased goes the way of a request to be forgotten: the plan as the desk sees it, and what the person reads in the end.
func (a album) erased() {
	chloe := &walk.Person{Tab: a.browser.Tab(a, browser.Phone), T: a, Server: a.server, Lang: "en"}
	chloe.Open(a.server.URL + "/requesterasure/?lang=en")
	chloe.Type("#email", her)
	chloe.Type("#tenant", "Cabinet Nord")
	chloe.Press("form[action$='/ask'] button")
	chloe.Open(a.link())
	chloe.Press("form[action$='/confirm'] button")
	a.settle()
	dorothea := &walk.Person{Tab: a.browser.Tab(a, browser.Desk), T: a, Server: a.server, Lang: "en"}
	dorothea.SignIn("dorothea.klein@sharedcontacts.example", walk.Home)
	dorothea.Open(a.server.URL + "/decideerasure/?show=desk")
	dorothea.Press("a.item")
	a.keep("plan", dorothea, false)
	dorothea.Press("form[action$='/reviewed'] button")
	dorothea.Press("form[action$='/approve'] button")
	a.settle()
	chloe.Press("body main > form:last-of-type button")
	a.keep("erased-phone", chloe, false)
}

func (a album) settle() {
	if err := a.server.Settle(); err != nil {
		a.Fatalf("waiting for what is on its way: %v", err)
	}
}

// link is the one in her mail.
func (a album) link() (link string) {
	a.settle()
	answer, err := http.Get(a.server.URL + "/_local/mail")
	if err != nil {
		a.Fatalf("reading mail: %v", err)
	}
	defer answer.Body.Close()
	var box struct {
		Messages []struct {
			To    string
			Links []string
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&box); err != nil {
		a.Fatalf("reading mail: %v", err)
	}
	for _, m := range box.Messages {
		if m.To == her && len(m.Links) > 0 {
			link = m.Links[0]
		}
	}
	return link
}
