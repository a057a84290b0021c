package main

import (
	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
)

// breach declares a breach that was noticed most of a day ago, and shows what to do next and how its clocks stand.
func (a album) breach(p *walk.Person) {
	p.Open(a.server.URL + "/declarebreach/declare?lang=en")
	p.Type("#summary", "An export of address books lay open in a bucket.")
	p.Click("#kind-breach")
	p.Click("#tenant-own")
	p.Click("#all")
	browser.Eval[int](p.Tab, `(document.getElementById("detected").value = "2026-03-02T14:30", 0)`)
	p.Press("button.thumb")
	p.Press("form[action$='/ack'] button")
	browser.Eval[int](p.Tab, `(document.getElementById("next").closest("section").scrollIntoView(), 0)`)
	a.keep("breach", p.Tab, false)
}
