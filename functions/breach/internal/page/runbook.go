package page

import (
	"html/template"
	"strings"
)

// Runbook is what to do in an incident, as a page.
type Runbook struct{ Body template.HTML }

// NewRunbook takes a document that package register wrote as HTML, in which every word is escaped already, out of its own
// frame and into that of the pages.
func NewRunbook(document string) Runbook {
	_, body, _ := strings.Cut(document, "<main>")
	body, _, _ = strings.Cut(body, "</main>")
	body = strings.ReplaceAll(body, `<th scope="col"></th>`, "<td></td>") // a heading without words is none to whoever hears it
	return Runbook{template.HTML(body)}
}
