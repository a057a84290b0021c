package browser

// Violations lets axe-core, whose script is given, look at the page as it stands. It returns what is wrong with it, one
// line a rule, and how many rules found nothing wrong: few of them mean that next to nothing was looked at.
func (tab *Tab) Violations(script string) (violations []string, passes int) {
	tab.t.Helper()
	Eval[int](tab, "(() => {"+script+"\n return 0; })()")
	found := Eval[struct {
		Passes     int
		Violations []string
	}](tab, `axe.run(document, {resultTypes: ["violations"]}).then((r) => ({
		Passes: r.passes.length,
		Violations: r.violations.map((v) => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")),
	}))`)
	return found.Violations, found.Passes
}
