// Package people goes through the days of the five people Ostiary is for, against the real command in a real browser, and
// counts what each stretch of them takes: taps, swipes, keys, pages, words, and the machine's seconds. It is linked into no
// function.
package people

import (
	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
)

// Size is the phone the days are counted on.
var Size = browser.Size{Width: 390, Height: 844, Phone: true}

// Company is where the five people are.
type Company struct {
	T       browser.T
	Browser *browser.Browser
	Binary  string // the command
	Root    string // the top of the repository
	// Camera is shown what is worth a picture; nil for none. whole asks for the page to its end.
	Camera func(name string, tab *browser.Tab, whole bool)
	// Eye looks at each page that came up; nil for none.
	Eye func(tab *browser.Tab)
	// Lived is a server on which a fortnight was played.
	Lived *walk.Server
}

// Days goes through all five days, and returns their legs in order.
func (c Company) Days() []Leg {
	c.T.Helper()
	var legs []Leg
	for _, day := range []func() []Leg{c.employee, c.customer, c.lead, c.auditor, c.engineer} {
		legs = append(legs, day()...)
	}
	return legs
}

// server starts a company of its own, whose clock stands at a morning.
func (c Company) server() *walk.Server {
	c.T.Helper()
	s, err := walk.Start(c.Binary, c.Root)
	if err != nil {
		c.T.Fatalf("%v", err)
	}
	c.T.Cleanup(s.Close)
	return s
}

// must ends the day where something went wrong beside the pages.
func (c Company) must(err error) {
	c.T.Helper()
	if err != nil {
		c.T.Fatalf("%v", err)
	}
}

// sit puts somebody in front of a fresh browser.
func (c Company) sit(s *walk.Server, size browser.Size, lang string) *walk.Person {
	c.T.Helper()
	return &walk.Person{Tab: c.Browser.Tab(c.T, size), T: c.T, Server: s, Lang: lang}
}

// shoot shows a page to the camera.
func (c Company) shoot(name string, p *walk.Person) {
	if c.Camera != nil {
		c.Camera(name, p.Tab, false)
	}
}
