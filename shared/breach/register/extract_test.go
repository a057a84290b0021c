package register_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/breach/register"
	"ostiary.internal/shared/breach/severity"
)

func seeds() uint64 {
	if os.Getenv("OSTIARY_SOAK") == "1" {
		return 1000
	}
	return 25
}

// TestExtractNamesNobodyElse draws cases in which everybody writes about everybody: what one tenant is given holds no name,
// domain or number of another, no number of all together, and no verdict.
func TestExtractNamesNobodyElse(t *testing.T) {
	t.Parallel()
	p, _ := firm(t)
	for seed := range seeds() {
		random := rand.New(rand.NewPCG(seed, 7))
		f, numbers := drawn(t, random)
		for _, tenant := range p.Tenants {
			var all bytes.Buffer
			x := register.Extract(f, tenant.ID)
			for _, format := range register.Formats() {
				for _, language := range []string{"en", "fr", "de"} {
					if err := register.Dossier(&all, x, format, language); err != nil {
						t.Fatal(err)
					}
				}
			}
			got := strings.ToLower(all.String())
			var sum int64
			for id, n := range numbers {
				if sum += n; id != tenant.ID && strings.Contains(got, fmt.Sprint(n)) {
					t.Errorf("seed %d: %s reads the number %d of %s", seed, tenant.ID, n, id)
				}
			}
			if strings.Contains(got, fmt.Sprint(sum)) || strings.Contains(got, "dana") || strings.Contains(got, "vera safe") || strings.Contains(got, `"level"`) {
				t.Errorf("seed %d: %s reads a sum, a verdict, or who of the company acted", seed, tenant.ID)
			}
			for _, other := range p.Tenants {
				if other.ID == tenant.ID {
					continue
				}
				for _, name := range append([]string{other.Name, strings.ReplaceAll(other.Name, "&", "&amp;")}, other.Domains...) {
					if strings.Contains(got, strings.ToLower(name)) || strings.Contains(got, strings.ToLower(strings.ReplaceAll(name, ".", `\.`))) {
						t.Errorf("seed %d: %s reads %q", seed, tenant.ID, name)
					}
				}
			}
			if want := numbers[tenant.ID]; slices.ContainsFunc(f.Case.Tracks, func(c cases.Track) bool { return c.ID == tenant.ID }) && !strings.Contains(got, fmt.Sprint(want)) {
				t.Errorf("seed %d: %s does not read its own number", seed, tenant.ID)
			}
		}
	}
}

// drawn is a random case; the numbers are those of each track.
func drawn(t *testing.T, random *rand.Rand) (register.File, map[string]int64) {
	f := whole(t)
	numbers := map[string]int64{}
	gossip := func() string {
		all := f.Company.Tenants
		a, b := all[random.IntN(len(all))], all[random.IntN(len(all))]
		forms := []string{"Also %s and %s.", "%s, like %s", "(%s/%s)", "«%s» %s"}
		return fmt.Sprintf(forms[random.IntN(len(forms))], []string{a.Name, strings.ToUpper(a.Name), a.ID, a.Domains[0]}[random.IntN(4)], b.Name)
	}
	f.Case.Tracks, f.Case.Decisions = nil, nil
	f.Case.Unmapped = 70_000_000 + random.IntN(1000)
	numbers["unmapped"] = int64(f.Case.Unmapped)
	for i, id := range []string{cases.Own, "nord", "sued", "west"} {
		if random.IntN(5) == 0 {
			continue
		}
		n := 10_000_000*int64(i+1) + random.Int64N(1_000_000)
		role := cases.Processor
		if id == cases.Own {
			role = cases.Controller
		}
		numbers[id] = n
		f.Case.Tracks = append(f.Case.Tracks, cases.Track{ID: id, Role: role, People: cases.Count{N: n, How: cases.Exact}, Records: cases.Count{N: n, How: cases.Estimate}, Told: f.Now})
		f.Case.Decisions = append(f.Case.Decisions, cases.Decision{Subject: id, Yes: random.IntN(2) == 0, Reason: 1 + random.IntN(7), By: "vera", Second: "dana", At: f.Now, Settled: f.Now})
	}
	for i := range f.Case.Texts {
		f.Case.Texts[i] = gossip()
	}
	f.Case.Names, f.Case.Mapped = []string{gossip()}, []cases.Mapped{{N: 60_000_001, Names: 1, Reason: 2}}
	numbers["mapped"] = 60_000_001
	f.Case.Promises = map[string]time.Time{gossip(): f.Now, "forensics": f.Now, notice.NextUpdate: f.Now}
	people := 90_000_000 + random.Int64N(1000)
	numbers["everybody"] = people
	f.Case.Score.Input.People = &people
	f.Case.Score.Score = severity.Of(f.Case.Score.Input)
	n := f.Notices[0]
	n.To, n.Accepted = 80_000_000, 80_000_001
	numbers["to"] = 80_000_000
	n.Draft.Texts = map[string]map[string]string{"en": {"nature": gossip(), "measures": gossip()}, "de": {"nature": "Eine Liste."}}
	n.Draft.Tenants = map[string]map[string]map[string]string{}
	n.Deliveries = nil
	for _, tenant := range f.Company.Tenants {
		n.Draft.Tenants[tenant.ID] = map[string]map[string]string{tenant.Language: {"subjects": gossip(), "records": tenant.Name}}
		n.Deliveries = append(n.Deliveries, notice.Delivery{Tenant: tenant.ID, Language: tenant.Language, Of: 80_000_000, Progress: notice.Arrived, Handed: f.Now})
	}
	f.Notices = []register.Sent{n}
	return f, numbers
}

// TestExtractIsTheirs: of a notice a tenant reads what was written for it before what was written for all, in languages in
// which it was sent; of what was promised, when it hears again.
func TestExtractIsTheirs(t *testing.T) {
	t.Parallel()
	f := whole(t)
	f.Case.Promises[notice.NextUpdate] = f.Now
	f.Case.Names, f.Case.Unmapped = []string{"lost.example"}, 1
	f.Case.Mapped = []cases.Mapped{{N: 1, By: "vera", At: f.Now, Names: len(f.Case.Texts) + 1, Reason: len(f.Case.Texts) + 2}}
	f.Case.Texts = append(f.Case.Texts, "gone.example", "Their contract ended.")
	n := &f.Notices[0]
	n.Draft.Texts["en"]["subjects"] = "88,000 people of all customers"
	n.Draft.Texts["de"] = map[string]string{"nature": "Nie gesandt."}
	dossier := func(f register.File) (text string) {
		for _, language := range []string{"en", "fr", "de"} {
			for _, format := range register.Formats() {
				var w bytes.Buffer
				if err := register.Dossier(&w, f, format, language); err != nil {
					t.Fatal(err)
				}
				text += w.String()
			}
		}
		return text
	}
	theirs, ours := dossier(register.Extract(f, "nord")), dossier(f)
	for _, one := range []string{"88,000", "Nie gesandt", "forensics", "update-nord", "lost.example", "gone.example", "Their contract ended", "an hour later", "Two people mail a list", "It is in the checklist", "A person concerned sues", "The suit was withdrawn"} {
		if strings.Contains(theirs, one) || !strings.Contains(ours, one) {
			t.Errorf("%q: in the extract %t, in the dossier %t", one, strings.Contains(theirs, one), strings.Contains(ours, one))
		}
	}
	if !strings.Contains(theirs, notice.NextUpdate) || strings.Count(theirs, "311 demandeurs") < 9 {
		t.Error("it does not read what was written for it, or when it hears again")
	}
}
