package page

import (
	"net/url"
	"slices"
	"strings"

	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/policy"
)

// Draft is the form a notice is written in: what it has to say, in each language somebody is written to in.
type Draft struct {
	Form      Form
	Done      string
	Case      string // path
	Number    string
	Exercise  bool
	Path      string // where the form goes
	N         int    // 0: a new one
	Kind      string // as a form sends it
	KindName  string // key
	Kinds     []KindLink
	Languages []Language
	Own       []OwnTexts
	Tenants   []Choice // labels are text
	Stale     []string // of those the form is for: whose contacts nobody made sure of lately
	Persons   bool
}

// KindLink leads to the form of another kind.
type KindLink struct {
	Path, Name, What string // Name and What are keys
	Chosen           bool
}

// Language is what is written in one language.
type Language struct {
	Tag    string
	Fields []Field
}

// Field is one thing to be said.
type Field struct {
	Name  string // as the form sends it
	Label string // key
	Law   string // key; "" for none
	How   string // key
	Rows  bool   // more than one line
}

// OwnTexts is what differs from tenant to tenant.
type OwnTexts struct {
	Tenant   string
	Language string
	Fields   []Field
}

// perTenant are the variables that may differ from tenant to tenant.
var perTenant = []string{"subjects", "records"}

// NewDraft is the form for a notice of a kind, with some of the tenants of a case ticked; all it may go to where nil is given.
func (r Reader) NewDraft(c cases.Read, kind notice.Kind, tenants []string, contact string) *Draft {
	d := &Draft{Case: CasePath(c.ID), Number: Group(c.Number), Exercise: c.Exercise, Path: CasePath(c.ID) + "/notices", Kind: string(kind), KindName: "kind." + string(kind), Persons: kind == notice.Persons}
	for _, k := range notice.Kinds() {
		if k == notice.Persons && !slices.Contains(c.Subjects(), cases.Persons) || c.State == cases.Closed && k != notice.Withdrawal {
			continue
		}
		d.Kinds = append(d.Kinds, KindLink{d.Path + "/new?kind=" + string(k), "kind." + string(k), "kind." + string(k) + ".what", k == kind})
	}
	langs := r.Policy.Company.Languages
	if !d.Persons {
		langs = r.recipients(d, c, kind, tenants)
	}
	defaults := url.Values{}
	for _, tag := range shell.Languages {
		if !slices.Contains(langs, tag) {
			continue
		}
		l := Language{Tag: tag}
		for _, name := range notice.Written(kind) {
			l.Fields = append(l.Fields, field(kind, tag+"."+name, name))
			if name == "contact" {
				defaults.Set(tag+"."+name, contact)
			}
		}
		d.Languages = append(d.Languages, l)
	}
	for _, one := range d.Tenants {
		if tenants == nil || slices.Contains(tenants, one.Value) {
			defaults.Add("tenant", one.Value)
		}
	}
	d.Form.Values = defaults
	return d
}

// field is one thing to be said in a form.
func field(k notice.Kind, as, name string) Field {
	return Field{Name: as, Label: "var." + name, Law: law(k, name), How: "var." + name + ".how", Rows: name != "contact"}
}

// recipients fills in the tenants a notice may go to, and returns their languages.
func (r Reader) recipients(d *Draft, c cases.Read, kind notice.Kind, tenants []string) (langs []string) {
	decided := standings(c.Case)
	for _, track := range c.Tracks {
		t, known := r.Policy.Tenant(track.ID)
		// Who was told hears of a mistake, whatever was decided since.
		amends := !track.Told.IsZero() && (kind == notice.Correction || kind == notice.Withdrawal)
		no := decided[track.ID].counts != nil && !decided[track.ID].yes()
		if !known || track.Role != cases.Processor || no && !amends || kind == notice.Withdrawal && track.Told.IsZero() {
			continue
		}
		d.Tenants = append(d.Tenants, Choice{t.ID, t.Name})
		if tenants != nil && !slices.Contains(tenants, t.ID) {
			continue
		}
		if slices.ContainsFunc(t.Contacts, func(one policy.Contact) bool { return one.Active(r.Now) && one.Stale(r.Now) }) {
			d.Stale = append(d.Stale, t.Name)
		}
		to, err := notice.Recipients(t, r.Now)
		if err != nil {
			continue // whoever writes is told when it is composed
		}
		var spoken []string
		for _, one := range to {
			if !slices.Contains(spoken, one.Language) {
				spoken = append(spoken, one.Language)
			}
		}
		langs = append(langs, spoken...)
		for _, tag := range spoken {
			own := OwnTexts{Tenant: t.Name, Language: tag}
			for _, name := range notice.Written(kind) {
				if slices.Contains(perTenant, name) {
					own.Fields = append(own.Fields, field(kind, strings.Join([]string{"own", t.ID, tag, name}, "."), name))
				}
			}
			if len(own.Fields) > 0 && len(d.Own) < most {
				d.Own = append(d.Own, own)
			}
		}
	}
	return langs
}

// languages are those a draft is written in, in the order of the pages.
func languages(d notice.Draft) (all []string) {
	for _, tag := range shell.Languages {
		_, own := d.Texts[tag]
		for _, texts := range d.Tenants {
			_, here := texts[tag]
			own = own || here
		}
		if own {
			all = append(all, tag)
		}
	}
	return all
}

// written is a draft as its form has it.
func written(d notice.Draft, tenants []string) url.Values {
	f := url.Values{"tenant": tenants}
	for lang, texts := range d.Texts {
		for name, text := range texts {
			f.Set(lang+"."+name, text)
		}
	}
	for tenant, langs := range d.Tenants {
		for lang, texts := range langs {
			for name, text := range texts {
				f.Set(strings.Join([]string{"own", tenant, lang, name}, "."), text)
			}
		}
	}
	return f
}

// notKnown is how people write that something is not known yet.
var notKnown = []string{notice.NotKnown, "inconnu", "unbekannt"}

// ReadDraft is the draft a form holds, with the tenants it is for; nil for persons.
func ReadDraft(f url.Values) (notice.Draft, []string) {
	d := notice.Draft{Kind: notice.Kind(f.Get("kind")), Texts: map[string]map[string]string{}, Tenants: map[string]map[string]map[string]string{}}
	for name := range f {
		text := strings.TrimSpace(strings.ReplaceAll(f.Get(name), "\r\n", "\n"))
		if slices.Contains(notKnown, strings.ToLower(text)) {
			text = notice.NotKnown
		}
		parts := strings.Split(name, ".")
		switch {
		case text == "":
		case len(parts) == 2 && slices.Contains(shell.Languages, parts[0]):
			if d.Texts[parts[0]] == nil {
				d.Texts[parts[0]] = map[string]string{}
			}
			d.Texts[parts[0]][parts[1]] = text
		case len(parts) == 4 && parts[0] == "own":
			langs := d.Tenants[parts[1]]
			if langs == nil {
				langs = map[string]map[string]string{}
				d.Tenants[parts[1]] = langs
			}
			if langs[parts[2]] == nil {
				langs[parts[2]] = map[string]string{}
			}
			langs[parts[2]][parts[3]] = text
		}
	}
	if d.Kind == notice.Persons {
		return d, nil
	}
	return d, append([]string{}, f["tenant"]...) // nobody ticked is nobody, not everybody
}

// DraftField is the field a refusal of a draft is about: "In fr, nature holds a link." names fr.nature. "" for none.
func DraftField(detail string) string {
	after, found := strings.CutPrefix(detail, "In ")
	if !found || len(after) < 4 {
		return ""
	}
	lang, rest := after[:2], after[2:]
	if names, missing := strings.CutPrefix(rest, " nobody wrote: "); missing {
		first, _, _ := strings.Cut(strings.TrimSuffix(names, "."), ", ")
		return lang + "." + first
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(rest, ", "), " ")
	return lang + "." + name
}

// Lint is what is wrong with a draft, in the reader's language: package notice says it in English, for programs.
func (r Reader) Lint(detail string) string {
	field := DraftField(detail)
	lang, name, _ := strings.Cut(field, ".")
	if field == "" || r.Sentence(r.Lang, "var."+name) == "" {
		return detail
	}
	if _, missing, is := strings.Cut(detail, " nobody wrote: "); is {
		var names []string
		for _, one := range strings.Split(strings.TrimSuffix(missing, "."), ", ") {
			names = append(names, r.known("var.", one))
		}
		return r.Say("lint.missing", r.Say("language."+lang), strings.Join(names, "; "))
	}
	_, why, _ := strings.Cut(strings.TrimSuffix(detail, "."), ", "+name+" ")
	text := r.Sentence(r.Lang, lintKey(why))
	if text == "" {
		return detail
	}
	return r.Say("lint", r.Say("language."+lang), r.Say("var."+name), text)
}

// lintKey is the text of a mistake: its first words, which name it.
func lintKey(why string) string {
	first, _, _ := strings.Cut(why, ",")
	return "lint." + strings.ReplaceAll(first, " ", "_")
}
