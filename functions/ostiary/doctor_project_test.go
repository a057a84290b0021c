package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ostiary.internal/functions/ostiary/internal/checkup"
)

// nothing is a Google Cloud in which a project has no functions, and of which nothing else may be read.
type nothing struct{ lists bool }

// RoundTrip implements http.RoundTripper.
func (n nothing) RoundTrip(r *http.Request) (*http.Response, error) {
	code, body := http.StatusForbidden, `{"error":{"code":403,"status":"PERMISSION_DENIED"}}`
	if n.lists && strings.HasSuffix(r.URL.Path, "/locations/-/functions") {
		code, body = http.StatusOK, `{}`
	}
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// TestExamines: what is wrong and what could not be told have exit codes of their own, and nothing is said to be well.
func TestExamines(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		client http.RoundTripper
		skip   string
		exit   int
		says   string
	}{
		"nothing is deployed":  {nothing{true}, "clock", exitWrong, "WRONG\n  functions  acceptdrift: it is not deployed"},
		"nothing may be read":  {nothing{true}, "functions", exitUnclear, "COULD NOT TELL\n"},
		"nothing can be asked": {nothing{}, "clock", exitUnclear, "Run it as somebody who may"},
		"nobody is signed in":  {nil, "clock", exitUnclear, "gcloud auth application-default login"},
	} {
		for _, asJSON := range []bool{false, true} {
			var out, errs bytes.Buffer
			e := examination{asJSON: asJSON}
			e.Project, e.Skip = "acme-ops", []string{row.skip}
			e.Client = func(context.Context) (*http.Client, error) {
				if row.client == nil {
					return nil, errors.New("no credentials")
				}
				return &http.Client{Transport: row.client}, nil
			}
			exit := e.run(t.Context(), terminal{out: &out, err: &errs, flags: flag.NewFlagSet("doctor", flag.ContinueOnError)})
			if exit != row.exit {
				t.Errorf("%s: exit %d, want %d: %s", name, exit, row.exit, errs.String())
			}
			if !asJSON && !strings.Contains(out.String()+errs.String(), row.says) {
				t.Errorf("%s: nothing is said of %q:\n%s%s", name, row.says, out.String(), errs.String())
			}
			var found checkup.Report
			if asJSON && out.Len() > 0 && (json.Unmarshal(out.Bytes(), &found) != nil || found.Project != "acme-ops" || len(found.Checks) == 0 || found.State == checkup.OK) {
				t.Errorf("%s: %s", name, out.String())
			}
		}
	}
}

// TestTable: what is said of many alike is said once, what is wrong comes first, and each heading stands once.
func TestTable(t *testing.T) {
	t.Parallel()
	r := checkup.Report{Project: "acme-ops", Asked: 5, Unasked: []string{"watchdog: name it"}}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		r.Checks = append(r.Checks, checkup.Check{Area: "secrets", Subject: name, State: checkup.Wrong, Found: "it is off", Next: "Switch it on."})
	}
	r.Checks = append(r.Checks, checkup.Check{Area: "keys", Subject: "x", State: checkup.Undetermined, Found: "403"}, checkup.Check{Area: "clock", Subject: "here", State: checkup.OK, Found: "right"})
	var out bytes.Buffer
	if err := printExamination(&out, r, false); err != nil {
		t.Fatal(err)
	}
	const want = `WRONG
  secrets    a, b, c and 2 more: it is off
               Switch it on.

COULD NOT TELL
  keys       x: 403

OK
  clock      here: right

NOT LOOKED AT
  watchdog: name it

acme-ops: 5 wrong, 1 undetermined, 1 ok, by 5 requests.
`
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
}

// TestReleasedArchives: the list of a release gives the digest of each function, and another file is refused with where the right one
// comes from.
func TestReleasedArchives(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("a", 64)
	for text, good := range map[string]bool{
		`{"archives":{"bucket":"b","objects":{"deliver":"deliver-` + sum + `.zip"}}}`: true,
		`{"functions":{"deliver":{"object":"x","digest":"sha256:` + sum + `"}}}`:      true,
		`{"functions":{"deliver":{"object":"x"}}}`:                                    false,
		`{"archives":{"objects":{"deliver":"deliver.zip"}}}`:                          false,
		`{"archives":{"objects":{}}}`:                                                 false, `{}`: false, `[`: false,
	} {
		file := filepath.Join(t.TempDir(), "archives.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		all, err := released(file)
		if (err == nil) != good || good && all["deliver"] != "sha256:"+sum || !good && !strings.Contains(err.Error(), "make dist") {
			t.Errorf("%s: %v %v", text, all, err)
		}
	}
}
