package main

import (
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
)

// others are the pictures of what the five days pass by.
func (a album) others() {
	a.date()
	omkar := a.sit("omkar.rao", browser.Phone)
	omkar.Open(a.server.URL + "/registerip/?lang=en")
	omkar.Enrol()
	omkar.Open(a.server.URL + "/registerip/")
	omkar.TypeAndGo("#code", omkar.NextCode())
	omkar.Wait("[data-state=confirmed]")
	a.device(omkar)

	simone := a.sit("simone.bernard", browser.Desk)
	simone.Press("a[href='/enrolotp/desk']")
	simone.Choose("#email", walk.Email("omkar.rao"))
	simone.Type("#reason", "Phone and recovery codes lost; called back on the number we know")
	simone.Press("form[action='/enrolotp/desk/reset'] button")
	stefan := a.sit("stefan.weber", browser.Desk)
	stefan.Press("a[href='/enrolotp/desk']")
	a.keep("desk", stefan.Tab, false)

	reader := &walk.Person{Tab: a.browser.Tab(a, browser.Desk), T: a, Server: a.lived, Lang: "en"}
	reader.Open(a.lived.URL + "/trustpage/?lang=en")
	a.keep("trust", reader.Tab, false)
	if err := a.server.Advance(time.Hour); err != nil { // the duties of the policy open
		a.Fatalf("an hour later: %v", err)
	}
	simone.Open(a.server.URL + "/attest/")
	a.keep("duties", simone.Tab, false)
	a.drift(simone)
	a.breach(simone)
}

// sit signs somebody of the company in.
func (a album) sit(who string, size browser.Size) *walk.Person {
	p := &walk.Person{Tab: a.browser.Tab(a, size), T: a, Server: a.server, Lang: "en"}
	p.SignIn(walk.Email(who), walk.Home)
	return p
}
