package people

import (
	"os"
	"path/filepath"
	"strings"

	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/shared/platform/driver"
)

// auditor is Aurel's, who believes nothing: from the trust page to a proof on his own machine, and to what people did and said.
func (c Company) auditor() []Leg {
	c.T.Helper()
	s := c.Lived
	p := c.sit(s, Size, "en")
	read := c.begin(p, "Auditor", "The trust page: a promise that is broken, and why")
	read.Go(s.URL + "/trustpage/?lang=en")
	read.Show("trust-phone")
	read.Click("nav.tiles a[href='#broken']")
	read.Click("li.row.broken details summary")
	read.Show("promise-phone")

	check := c.begin(p, "Auditor", "The evidence: checked offline, every state computed again")
	folder, err := os.MkdirTemp("", "people")
	c.must(err)
	c.T.Cleanup(func() { os.RemoveAll(folder) })
	c.must(os.CopyFS(filepath.Join(folder, "data", "evidence"), os.DirFS(filepath.Join(s.Data(), "evidence"))))
	c.run(c.begin(p, "", ""), folder, "evidence", "bundle", "evidence.zip", "--server", s.URL, "--tiles", driver.URL("folder", filepath.Join(folder, "data", "evidence", "tiles")),
		"--head", driver.URL("folder", filepath.Join(folder, "data", "evidence", "head"))) // what the company sends him
	c.must(os.Rename(filepath.Join(folder, "data", "evidence", "trust.json"), filepath.Join(folder, "trust.json")))
	said := c.run(check, folder, "evidence", "verify", "evidence.zip", "--trust", "trust.json")
	if !strings.HasPrefix(said, "GOOD") {
		c.T.Fatalf("the evidence is not good:\n%s", said)
	}

	check.leg.Desk = true
	return append([]Leg{*read.leg, *check.leg}, c.signedIn(p)...)
}

// signedIn is what an auditor may read of people: who came in, and whose word a promise rests on.
func (c Company) signedIn(p *walk.Person) []Leg {
	c.T.Helper()
	s := p.Server
	emma := c.sit(s, Size, "en") // somebody who came in today
	emma.SignIn(walk.Email("emma.dubois"), walk.Home)
	emma.Enrol()
	emma.Open(s.URL + "/registerip/")
	emma.TypeAndGo("#code", emma.NextCode())
	emma.Wait("[data-state=confirmed]")
	p.SignIn(walk.Email("aurel.roth"), walk.Home)
	who := c.begin(p, "Auditor", "Who could come in from where, on which proof")
	who.Go(s.URL + "/registerip/")
	who.Press("a[href='/registerip/register']")
	who.Press("form[action='/registerip/register'] button")
	who.reach("main table tbody tr")
	who.Show("register-phone")
	word := c.begin(p, "Auditor", "The statement behind a promise")
	word.Go(s.URL + "/attest/")
	word.Press("a[href='/attest/statements']")
	word.Press("main a.item")
	word.Show("statement-phone")
	c.quiet(p)
	return []Leg{*who.leg, *word.leg}
}
