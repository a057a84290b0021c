package main

import (
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/trust/keeppromises"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/trust/promise"

	_ "ostiary.internal/shared/platform/bus/local"
	_ "ostiary.internal/shared/policy/dir"

	_ "ostiary.internal/shared/platform/secret/file"
)

// TestMain lets the tests start this program as it starts itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{"-spend", "-hold", "-decode"}, os.Args[1]) {
		main()
		return
	}
	os.Exit(m.Run())
}

// The parts that start no other program measure something, and fill every cell of their rows.
func TestParts(t *testing.T) {
	t.Parallel()
	b := &bench{effort: effort{runs: 1, searching: 1, handed: 20, records: 400, leases: 20, entries: 2000, tenants: 30, cases: 5, assets: 1000, readings: 1}, root: "../..", dir: t.TempDir()}
	for _, p := range b.parts() {
		if slices.Contains([]string{"registration", "starting", "verifying", "following", "erasing"}, p.name) {
			continue
		}
		before := len(b.rows)
		b.group = p.group
		if err := p.measure(t.Context()); err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		if len(b.rows) == before {
			t.Errorf("%s made no row", p.name)
		}
	}
	for _, r := range b.rows {
		if r.group == "" || r.measured == "" || r.ours == "" || r.beside == "" || r.what == "" || !(r.ratio.least > 0) || !(r.ratio.median >= r.ratio.least && r.ratio.most >= r.ratio.median) || math.IsInf(r.ratio.most, 0) || r.ratio.runs == 0 {
			t.Errorf("%+v", r)
		}
	}
}

// What is verified, followed and printed is a log that deserves it: good, with a page computed from its records on
// which promises are kept.
func TestArchive(t *testing.T) {
	t.Parallel()
	b := &bench{effort: effort{records: 800}, root: "../..", dir: t.TempDir()}
	a, err := b.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again := func(basis verify.Basis) ([]byte, error) {
		l := promise.NewLedger(a.ledger.Register())
		for index, r := range basis.Leaves {
			if err := l.Add(index, r); err != nil {
				return nil, err
			}
		}
		return promise.Snap(l, basis.Origin, basis.Size, basis.Root().String(), basis.At).Canonical(), nil
	}
	report, err := verify.Verify(t.Context(), verify.FS(os.DirFS(a.dir)), verify.Options{Trust: a.trust, Recompute: again})
	if err != nil {
		t.Fatal(err)
	}
	if report.Outcome != verify.Good || report.Records != 800 || report.Page == nil || !report.Page.Computed || len(report.Gaps) != 0 {
		t.Errorf("%+v", report)
	}
	if n, err := hashLeaves(a.dir); n != 800 || err != nil {
		t.Errorf("%d leaves hashed: %v", n, err)
	}
	if data, err := os.ReadFile(a.file); err != nil {
		t.Error(err)
	} else if _, err := sign.ReadTrust(data); err != nil {
		t.Error(err)
	}
	if a.page.Counts["kept"] == 0 || len(a.page.Promises) != promises {
		t.Errorf("%d promises, %v", len(a.page.Promises), a.page.Counts)
	}
	sheet, err := b.paper()
	if err != nil {
		t.Fatal(err)
	}
	html, err := sheet.print(a.page)
	if err != nil || strings.Count(string(html), `<li class="row`) != promises {
		t.Errorf("%d bytes of HTML: %v", len(html), err)
	}
}

// The environment of the function that follows the log is the one it asks for, and it comes to the log's end.
func TestFollowing(t *testing.T) {
	b := &bench{effort: effort{records: 400}, dir: t.TempDir()}
	a, err := b.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(b.dir, "following")
	env, err := a.environment(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	s := httptest.NewServer(keeppromises.Function.Entry())
	defer s.Close()
	if first, second, err := a.runs(t.Context(), s.URL+"/keeppromises/", filepath.Join(dir, "inbox", "keeppromises")); err != nil || first <= 0 || second <= 0 {
		t.Errorf("%s, then %s: %v", first, second, err)
	}
}

func TestOften(t *testing.T) {
	t.Parallel()
	for want, took := range map[string]time.Duration{"1.54 million/s": 650 * time.Nanosecond, "20 thousand/s": 50 * time.Microsecond, "4/s": 250 * time.Millisecond} {
		if got := often(took, 1); got != want {
			t.Errorf("%s: %s, want %s", took, got, want)
		}
	}
	if got := often(2*time.Second, 2000); got != "1 thousand/s" {
		t.Errorf("2000 in two seconds: %s", got)
	}
	if got := (spending{Took: 1500 * time.Millisecond, Peak: 34_400_000}).String(); got != "1.5 s, 34 MB" {
		t.Errorf("%s", got)
	}
	if got := (spending{Took: time.Second}).String(); got != "1 s" {
		t.Errorf("a system that does not tell of memory: %s", got)
	}
}
