package notice_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	keyfile "ostiary.internal/shared/platform/seal/local"
)

// declared is a breach of tenants about which two decided that they are told.
func (f *firm) declared(exercise bool, tenants ...string) cases.Case {
	f.t.Helper()
	d := cases.Declaration{Client: fmt.Sprint("form ", len(tenants), exercise), Breach: true, Exercise: exercise, Summary: "files were read"}
	for _, id := range tenants {
		d.Tracks = append(d.Tracks, cases.Track{ID: id, Role: cases.Processor, People: cases.Count{How: cases.Unknown}, Records: cases.Count{How: cases.Unknown}})
	}
	c, _, err := f.cases.Declare(context.Background(), f.person("emma"), d, f.clock.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *firm) do(id, who string, e cases.Event, text string) cases.Case {
	f.t.Helper()
	c, err := f.cases.Do(context.Background(), id, f.person(who), e, cases.Words{Text: text}, f.clock.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *firm) decided(exercise bool, tenants ...string) cases.Case {
	f.t.Helper()
	c := f.declared(exercise, tenants...)
	f.do(c.ID, "vera", cases.Event{What: cases.Answer, Subject: cases.Tenants, Yes: true}, "")
	return f.do(c.ID, "dana", cases.Event{What: cases.Answer, Subject: cases.Tenants, Yes: true}, "")
}

// write writes an initial notice of everything.
func (f *firm) write(id, who string) notice.Notice {
	f.t.Helper()
	n, err := f.notices.Write(context.Background(), f.person(who), id, 0, draft(notice.Initial), nil, f.clock.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

func (f *firm) approve(n notice.Notice, who string) notice.Notice {
	f.t.Helper()
	n, err := f.notices.Approve(context.Background(), f.person(who), n.Case, n.N, n.Hash, f.clock.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

// progress are the deliveries of a notice as words, in order.
func (f *firm) progress(n notice.Notice) string {
	f.t.Helper()
	all, err := f.notices.Deliveries(context.Background(), n.Case, n.N, nil, 1000)
	if err != nil {
		f.t.Fatal(err)
	}
	var words []string
	for _, d := range all {
		words = append(words, d.Tenant+" "+d.Ways[d.Way]+" "+string(d.Progress))
	}
	return strings.Join(words, ", ")
}

// subjects are what staff were told, sorted: who, the way, and the subject without the case's number.
func (f *firm) subjects(number string) string {
	var all []string
	for _, text := range f.mail {
		parts := strings.Split(strings.ReplaceAll(text, number, "NUMBER"), "|")
		all = append(all, strings.Join(parts[:3], "|"))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// taken are the messages peers took, sorted: the way, to whom, and the subject without the case's number.
func (f *firm) taken(number string) string {
	var all []string
	for _, m := range f.sent {
		all = append(all, strings.ReplaceAll(m.Channel+" "+m.To+" "+m.Subject, number, "NUMBER"))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// events are the records of some kinds as words, sorted, with how many others each refers to.
func (f *firm) events(kinds ...record.Kind) string {
	var all []string
	for _, r := range f.records {
		if slices.Contains(kinds, r.Kind) {
			all = append(all, fmt.Sprintf("%s %s %d", r.Kind, r.Facts["event"], len(r.Refs)))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func code(err error) string { return fault.CodeOf(err) }

// many adds tenants to a firm.
func (f *firm) many(n int) (ids []string) {
	var b strings.Builder
	b.WriteString("tenants:\n")
	for i := range n {
		id := fmt.Sprintf("t%04d", i)
		ids = append(ids, id)
		fmt.Fprintf(&b, "- {id: %s, name: Customer number %d, country: FR, language: %s, domains: [%s.example], contract_hours: 48, contacts: [{role: privacy, email: dpo@%s.example, language: en}]}\n",
			id, i, []string{"en", "fr", "de"}[i%3], id, id)
	}
	f.files["p/tenants.yaml"] = &fstest.MapFile{Data: []byte(b.String())}
	f.restart("company.yaml", "name: Firm", "name: Large Firm")
	return ids
}

// told counts the messages to staff whose subject holds a text.
func (f *firm) told(subject string) (n int) {
	for _, text := range f.mail {
		if strings.Contains(strings.Split(text, "|")[2], subject) {
			n++
		}
	}
	return n
}

// TestOutcomes: what became of each recipient is read without her address being opened.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.decided(false, "ost", "sud")
	f.approve(f.write(c.ID, "vera"), "dana")
	blind := f.config
	blind.Keys = keyfile.New(filepath.Join(t.TempDir(), "another"), nil)
	s, err := notice.New(blind)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Deliveries(ctx, c.ID, 1, nil, 10); err == nil {
		t.Error("addresses are opened without their key")
	}
	all, err := s.Outcomes(ctx, c.ID, 1, nil, 10)
	if err != nil || len(all) != 2 || all[0].Tenant != "ost" || all[0].Addresses != nil || all[1].Handed.IsZero() {
		t.Errorf("%+v, %v", all, err)
	}
}
