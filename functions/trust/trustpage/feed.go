package trustpage

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/trust/page"
	"ostiary.internal/shared/trust/promise"
)

// newestFirst is how many changes a feed tells of.
const newestFirst = 50

// atom is a feed (RFC 4287).
type atom struct {
	XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	Lang    string   `xml:"xml:lang,attr"`
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Author  string   `xml:"author>name"`
	Links   []link   `xml:"link"`
	Entries []entry  `xml:"entry"`
}

type link struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
}

type entry struct {
	ID      string `xml:"id"`
	Title   string `xml:"title"`
	Updated string `xml:"updated"`
	Link    link   `xml:"link"`
	Summary string `xml:"summary"`
}

// feed answers the promises whose state changed last. A page that is no longer believed is one change of them all.
func (t *trustpage) feed(w http.ResponseWriter, r *http.Request) error {
	s, err := t.newest(r.Context())
	if err != nil {
		return err
	}
	now, lang := t.Clock.Now(), web.Language(r, page.Languages...)
	v := page.Build(s.snapshot, page.Circumstances{Now: now, Checked: s.Checked, Digest: s.Digest, Home: t.home()}, lang)
	f := atom{
		Lang: lang, ID: tag(s.snapshot.Origin, "promises"), Title: v.FeedTitle, Updated: s.Checked.Format(time.RFC3339), Author: s.snapshot.Company,
		Links: []link{{"self", t.home() + "v1/feed.atom?lang=" + lang}, {"alternate", t.home() + "?lang=" + lang}},
	}
	if v.Behind {
		f.Entries = []entry{{tag(s.snapshot.Origin, "behind", s.Checked.Format(time.RFC3339)), v.Text("behind.title"), s.Checked.Format(time.RFC3339),
			link{"alternate", t.home() + "?lang=" + lang}, v.Text("behind.text", v.Checked.Full, v.Checked.Ago)}}
	} else {
		f.Entries = t.changes(s.snapshot, v)
	}
	body, err := xml.MarshalIndent(f, "", " ")
	if err != nil {
		return err
	}
	w.Header().Set("Vary", perTongue)
	return answer(w, r, "application/atom+xml; charset=utf-8", forNow, append([]byte(xml.Header), body...))
}

func (t *trustpage) changes(s promise.Snapshot, v page.View) []entry {
	rows := map[string]page.Row{}
	for _, g := range v.Groups {
		for _, row := range g.Rows {
			rows[row.ID] = row
		}
	}
	changed := slices.DeleteFunc(slices.Clone(s.Promises), func(p promise.Row) bool { return p.Since.IsZero() })
	slices.SortStableFunc(changed, func(a, b promise.Row) int { return b.Since.Compare(a.Since) })
	var entries []entry
	for _, p := range changed[:min(newestFirst, len(changed))] {
		row, since := rows[p.ID], p.Since.Format(time.RFC3339)
		entries = append(entries, entry{
			ID: tag(s.Origin, p.ID, since, string(p.State)), Title: v.Text("feed.entry", p.ID, row.Word), Updated: since,
			Link: link{"alternate", t.home() + "?lang=" + v.Lang + "#p-" + p.ID}, Summary: strings.TrimSpace(row.Sentence.Text + " — " + cmp.Or(row.Why, row.Word)),
		})
	}
	return entries
}

// tag names what a feed tells of, for ever (RFC 4151): the log's host is the authority.
func tag(origin string, parts ...string) string {
	host, path, _ := strings.Cut(origin, "/")
	return "tag:" + host + ",2026:" + path + "/" + strings.Join(parts, "/")
}
