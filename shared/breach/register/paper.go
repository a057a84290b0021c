package register

import (
	_ "embed" // the frame of a page
	"html/template"
	"io"
	"regexp"
	"strings"
	"unicode"
)

// paper is a document before it is Markdown or HTML: headings, lines and tables, in one language.
type paper struct {
	Language string
	Title    string
	Warning  string // stands above everything
	Lines    []string
	Sections []section
}

// section is a heading with what stands below it.
type section struct {
	Title string
	Lines []string
	Head  []string
	Rows  [][]string
	Links map[string]string // by the text of a cell: addresses from the policy
}

// markdown writes CommonMark with tables as GitHub has them. What people wrote is text there: it makes no heading, link,
// table or tag.
func (p paper) markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# " + plain(p.Title) + "\n\n")
	if p.Warning != "" {
		b.WriteString("**" + plain(p.Warning) + "**\n\n")
	}
	for _, l := range p.Lines {
		b.WriteString(plain(l) + "\n\n")
	}
	for _, s := range p.Sections {
		b.WriteString("## " + plain(s.Title) + "\n\n")
		for _, l := range s.Lines {
			b.WriteString(plain(l) + "\n\n")
		}
		if len(s.Rows) > 0 {
			row(&b, s.Head, nil)
			b.WriteString("|" + strings.Repeat(" --- |", len(s.Head)) + "\n")
			for _, cells := range s.Rows {
				row(&b, cells, s.Links)
			}
			b.WriteString("\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func row(b *strings.Builder, cells []string, links map[string]string) {
	b.WriteString("|")
	for _, c := range cells {
		text := plain(c)
		if to := links[c]; to != "" {
			text = "[" + text + "](<" + to + ">)"
		}
		b.WriteString(" " + text + " |")
	}
	b.WriteString("\n")
}

const (
	marks  = "\\`*_[]|~" // mean something wherever they stand (CommonMark 0.31, section 6; tables and strikethrough of GitHub's)
	begins = "#+-=:!"    // mean something at the beginning (section 4)
)

// linked is what GitHub's Markdown takes for an address without any sign around it.
var linked = regexp.MustCompile(`(?i)(:)(//)|(www)(\.)`)

// numbered is the beginning of an ordered list.
var numbered = regexp.MustCompile(`^([0-9]{1,9})([.)])`)

// plain writes a text so that Markdown shows it as it is, in one line.
func plain(text string) string {
	var b strings.Builder
	text = strings.ReplaceAll(strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD")), "\r\n", "\n")
	for _, r := range text {
		switch {
		case r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
			b.WriteString("<br>")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '\t':
			b.WriteByte(' ')
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
		case strings.ContainsRune(marks, r), b.Len() == 0 && strings.ContainsRune(begins, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return numbered.ReplaceAllString(linked.ReplaceAllString(b.String(), `$3\$1$2$4`), `$1\$2`)
}

//go:embed paper.html
var frame string

var pages = template.Must(template.New("paper").Funcs(template.FuncMap{
	"lines": func(text string) []string { return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") },
	"link":  func(s section, cell string) string { return s.Links[cell] },
}).Parse(frame))

// html writes one page that needs nothing else, to be read or printed.
func (p paper) html(w io.Writer) error { return pages.Execute(w, p) }
