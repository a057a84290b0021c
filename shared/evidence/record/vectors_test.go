package record_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

var update = flag.Bool("update", false, "write the vectors of testdata/evidence/v1 anew")

const vectors = "../../../testdata/evidence/v1"

// good are the records whose canonical bytes every implementation must produce.
func good() map[string]record.Record {
	unknown := attempt()
	unknown.Kind, unknown.Control = record.Observation, "backup-freshness"
	unknown.Population = &record.Population{Expected: 12, Seen: 11, Errors: 1}
	unknown.Result = record.Result{State: record.Kept, Metric: "rpo_s", Value: 1260, Op: "<=", Limit: 3600}
	bounds := attempt()
	bounds.Run = 1<<53 - 1
	bounds.Result = record.Result{State: record.Violation, Metric: "least", Value: -(1<<53 - 1), Op: ">", Limit: 1<<53 - 1}
	return map[string]record.Record{"full": backup(), "least": attempt(), "population-forces-unknown": unknown, "largest-integers": bounds}
}

// hostile are texts a reader must refuse, by name: how each differs from the record "full", and why it is refused.
func hostile(full string) map[string]struct{ text, reason string } {
	replace := func(old, new string) string {
		if !strings.Contains(full, old) {
			panic("the record does not hold " + old)
		}
		return strings.Replace(full, old, new, 1)
	}
	type bad = struct{ text, reason string }
	return map[string]bad{
		"oversized":              {replace(`"control":"`, `"control":"`+strings.Repeat("x", record.MaxBytes)), "larger than 65535 bytes"},
		"nul":                    {replace(`backup-freshness`, "backup\x00freshness"), "NUL"},
		"nul-escaped":            {replace(`backup-freshness`, `backup\u0000freshness`), "NUL"},
		"surrogate-high":         {replace(`backup-freshness`, `backup\ud800`), "half a surrogate pair"},
		"surrogate-low":          {replace(`backup-freshness`, `backup\udc00`), "half a surrogate pair"},
		"not-utf8":               {replace(`backup-freshness`, "backup\xff"), "not UTF-8"},
		"duplicate-key":          {replace(`"v":1`, `"v":1,"v":1`), "occurs twice"},
		"duplicate-key-escaped":  {replace(`"v":1`, `"v":1,"\u0076":2`), "occurs twice"},
		"duplicate-key-nested":   {replace(`"errors":0`, `"errors":0,"errors":1`), "occurs twice"},
		"float":                  {replace(`"value":1260`, `"value":1260.5`), "not a plain integer"},
		"float-that-is-whole":    {replace(`"value":1260`, `"value":1260.0`), "not a plain integer"},
		"exponent":               {replace(`"value":1260`, `"value":126e1`), "not a plain integer"},
		"minus-zero":             {replace(`"errors":0`, `"errors":-0`), "not a plain integer"},
		"beyond-2-53":            {replace(`"value":1260`, `"value":9007199254740992`), "beyond 2^53-1"},
		"beyond-int64":           {replace(`"value":1260`, `"value":99999999999999999999`), "beyond 2^53-1"},
		"not-nfc":                {replace(`backup-freshness`, "cafe\u0301"), "normal form C"},
		"nfc-but-not-a-word":     {replace(`backup-freshness`, "caf\u00e9"), "control is not of the allowed form"},
		"unknown-top-level-key":  {replace(`"v":1`, `"trusted":"yes","v":1`), "trusted is not known here"},
		"unknown-nested-key":     {replace(`"errors":0`, `"errors":0,"excuse":"none"`), "excuse is not known here"},
		"key-in-capitals":        {replace(`"v":1`, `"V":1`), "V is not known here"},
		"null":                   {replace(`"rpo_s"`, `null`), "instead of string"},
		"white-space":            {replace(`{"code"`, `{ "code"`), "not in canonical form"},
		"line-end":               {full + "\n", "not in canonical form"},
		"keys-out-of-order":      {replace(`"errors":0,"expected":12`, `"expected":12,"errors":0`), "not in canonical form"},
		"escaped-slash":          {replace(`America/`, `America\/`), "not in canonical form"},
		"escaped-letter":         {replace(`"<="`, `"\u003c="`), "not in canonical form"},
		"empty-member":           {replace(`"op":"<="`, `"op":""`), "result.limit is not of the allowed form"},
		"promises-out-of-order":  {replace(`["B109","B110"]`, `["B110","B109"]`), "not in canonical form"},
		"promise-twice":          {replace(`["B109","B110"]`, `["B109","B109","B110"]`), "not in canonical form"},
		"time-without-millis":    {replace(`09:58:41.120Z"`, `09:58:41Z"`), "not in UTC with milliseconds"},
		"time-with-offset":       {replace(`09:58:41.120Z"`, `09:58:41.120+00:00"`), "not in UTC with milliseconds"},
		"time-that-is-not":       {replace(`2026-11-21T09:58:41.120Z"`, `2026-02-30T09:58:41.120Z"`), "not in UTC with milliseconds"},
		"kept-but-one-missing":   {replace(`"seen":12`, `"seen":11`), "its population is not whole"},
		"kept-but-one-error":     {replace(`"errors":0`, `"errors":1`), "its population is not whole"},
		"name-of-another-record": {replace(`"B109","B110"`, `"B109","B111"`), "name of another record"},
		"other-version":          {replace(`"v":1`, `"v":2`), "another version"},
		"e-mail-address":         {replace(`"step_delta":"-1"`, `"step_delta":"ada@customer.example"`), "facts is not of the allowed form"},
		"network-address":        {replace(`"step_delta":"-1"`, `"step_delta":"81.2.69.142"`), "facts is not of the allowed form"},
		"subject-in-clear":       {replace(`"type":"store"`, `"type":"two words"`), "subjects is not of the allowed form"},
		"two-records":            {full + full, "not JSON"},
		"cut":                    {full[:len(full)-1], "not JSON"},
		"empty":                  {"", "not JSON"},
		"list":                   {"[" + full + "]", "not an object"},
		"text":                   {`"record"`, "not an object"},
		"deep":                   {replace(`"rpo_s"`, strings.Repeat("[", 5000)+strings.Repeat("]", 5000)), "nested deeper than"},
	}
}

// names is names.json: inputs and what is made of them.
type names struct {
	IDs []struct {
		Control  string   `json:"control"`
		EventID  string   `json:"event_id"`
		Kind     string   `json:"kind"`
		Promises []string `json:"promises"`
		Event    string   `json:"source_event"`
		ID       string   `json:"id"`
	} `json:"ids"`
	Commitments []struct {
		SaltHex    string `json:"salt_hex"`
		Kind       string `json:"kind"`
		Value      string `json:"value"`
		Commitment string `json:"commitment"`
	} `json:"commitments"`
}

func TestGoodVectors(t *testing.T) {
	t.Parallel()
	for name, r := range good() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := r.Canonical()
			if err != nil {
				t.Fatal(err)
			}
			if want := golden(t, "records/"+name+".json", got); !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			parsed, err := record.Parse(got)
			if err != nil || parsed.ID() != r.ID() {
				t.Errorf("read back: %v", err)
			}
		})
	}
}

func TestHostileVectors(t *testing.T) {
	t.Parallel()
	full, err := backup().Canonical()
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for name, bad := range hostile(string(full)) {
		reasons[name] = bad.reason
		golden(t, "hostile/"+name+".json", []byte(bad.text))
	}
	index, err := json.MarshalIndent(reasons, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	var indexed map[string]string
	if err := json.Unmarshal(golden(t, "hostile.json", append(index, '\n')), &indexed); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(reasons, indexed); diff != "" {
		t.Errorf("hostile.json (-test +file):\n%s", diff)
	}
	files, err := filepath.Glob(vectors + "/hostile/*.json")
	if err != nil || len(files) != len(indexed) {
		t.Fatalf("%d files, %d reasons, %v", len(files), len(indexed), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := record.Parse(data)
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), indexed[name]) {
				t.Errorf("error %v, want a word on %q", err, indexed[name])
			}
			if !cmp.Equal(r, record.Record{}) {
				t.Error("half a record beside the error")
			}
		})
	}
}

func TestNameVectors(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(vectors + "/names.json")
	if err != nil {
		t.Fatal(err)
	}
	var v names
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	for i, c := range v.IDs {
		r := record.New(record.Kind(c.Kind), c.Control, c.EventID, c.Promises...)
		if *update {
			v.IDs[i].Event, v.IDs[i].ID = r.Source.Event, r.ID()
		} else if r.Source.Event != c.Event || r.ID() != c.ID {
			t.Errorf("%+v: event %s, id %s", c, r.Source.Event, r.ID())
		}
	}
	for i, c := range v.Commitments {
		salt, err := hex.DecodeString(c.SaltHex)
		if err != nil {
			t.Fatal(err)
		}
		got := record.Commitment(salt, c.Kind, c.Value)
		if *update {
			v.Commitments[i].Commitment = got
		} else if got != c.Commitment {
			t.Errorf("%+v: %s", c, got)
		}
	}
	if len(v.IDs) == 0 || len(v.Commitments) == 0 {
		t.Error("no vectors")
	}
	if *update {
		out, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "names.json", append(out, '\n'))
	}
}

// golden returns a file of the vectors; with -update it writes it first.
func golden(t *testing.T, name string, now []byte) []byte {
	t.Helper()
	path := filepath.Join(vectors, name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, now, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(name, "hostile/") && !slices.Equal(data, now) {
		t.Errorf("%s is not what the test makes of the full record", name)
	}
	return data
}
