package people

import (
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
)

// employee is Emma's: her first morning, one like every other, and the one on which her phone is gone.
func (c Company) employee() []Leg {
	c.T.Helper()
	s := c.server()
	p := c.sit(s, Size, "en")
	p.SignIn(walk.Email("emma.dubois"), walk.Home)

	first := c.begin(p, "Employee", "First morning: set up the app, register")
	first.Go(s.URL + "/registerip/")
	first.Show("first-phone")
	first.Press("a[href='/enrolotp/']")
	first.Press("#add-form button")
	p.Scan() // what the link in the page would hand to the app
	first.show("enrol-phone", true)
	first.reach("a.open")
	first.Look()
	first.TypeAndGo("#code", p.Code())
	codes := p.Recovery()
	first.Press("main a[href='/registerip/']")
	first.Show("morning-phone")
	first.Look()
	first.TypeAndGo("#code", p.NextCode())
	first.Until("[data-state=confirmed]")

	c.must(s.Advance(24 * time.Hour))
	usual := c.begin(p, "Employee", "A normal morning")
	usual.Go(s.URL + "/registerip/")
	usual.Look()
	usual.TypeAndGo("#code", p.Code())
	usual.Until("[data-state=confirmed]")
	c.must(s.ComeIn(walk.Home))
	p.Open(s.URL + "/registerip/")
	usual.Show("working-phone")

	c.must(s.Skip(24 * time.Hour))
	lost := c.begin(p, "Employee", "The phone is gone: a new one, with a recovery code")
	lost.Go(s.URL + "/registerip/")
	lost.Press("a[href='/enrolotp/']")
	lost.reach("#recovery")
	lost.Show("lost-phone")
	lost.Type("#recovery", codes[0])
	lost.Press("form[action='/enrolotp/recover'] button")
	lost.Press("#add-form button")
	p.Scan()
	lost.reach("a.open")
	lost.Look()
	lost.TypeAndGo("#code", p.Code())
	lost.Press("main a[href='/registerip/']")
	lost.Look()
	lost.TypeAndGo("#code", p.NextCode())
	lost.Until("[data-state=confirmed]")
	c.quiet(p)
	return []Leg{*first.leg, *usual.leg, *lost.leg}
}

// quiet ends the day where a page complained.
func (c Company) quiet(p *walk.Person) {
	c.T.Helper()
	if noise := p.Noise(); len(noise) > 0 {
		c.T.Fatalf("on %s the console says %v", browser.Eval[string](p.Tab, "location.pathname"), noise)
	}
}
