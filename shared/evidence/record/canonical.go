package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"golang.org/x/text/unicode/norm"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web/strictjson"
)

// timeForm is how a record writes times: RFC 3339 in UTC, always with milliseconds.
const timeForm = "2006-01-02T15:04:05.000Z"

// maxDepth is how deep a record nests.
const maxDepth = 4

// The form of a record in JSON. Members stand in the order RFC 8785, section 3.2.3 asks for; a test holds that.
type (
	wire struct {
		Code        string            `json:"code,omitempty"`
		Config      string            `json:"config,omitempty"`
		Control     string            `json:"control"`
		Expires     string            `json:"expires,omitempty"`
		Facts       map[string]string `json:"facts,omitempty"`
		ID          string            `json:"id"`
		Kind        Kind              `json:"kind"`
		Method      Method            `json:"method,omitempty"`
		Payload     *wirePayload      `json:"payload,omitempty"`
		Population  *wirePopulation   `json:"population,omitempty"`
		PromiseText string            `json:"promise_text,omitempty"`
		Promises    []string          `json:"promises"`
		Refs        []wireRef         `json:"refs,omitempty"`
		Result      *wireResult       `json:"result,omitempty"`
		Run         *wireRun          `json:"run,omitempty"`
		Source      wireSource        `json:"source"`
		Subjects    []wireSubject     `json:"subjects,omitempty"`
		V           int               `json:"v"`
		Window      *wireWindow       `json:"window,omitempty"`
	}
	wirePayload struct {
		Bytes int64  `json:"bytes"`
		C     string `json:"c"`
	}
	wirePopulation struct {
		Errors   int64 `json:"errors"`
		Expected int64 `json:"expected"`
		Seen     int64 `json:"seen"`
	}
	wireRef struct {
		ID  string `json:"id"`
		Rel string `json:"rel"`
	}
	wireResult struct {
		Limit  *int64 `json:"limit,omitempty"`
		Metric string `json:"metric,omitempty"`
		Op     string `json:"op,omitempty"`
		State  State  `json:"state"`
		Value  *int64 `json:"value,omitempty"`
	}
	wireRun struct {
		Seq int64 `json:"seq"`
	}
	wireSource struct {
		Collected string `json:"collected"`
		Event     string `json:"event"`
		Observed  string `json:"observed,omitempty"`
		Type      string `json:"type,omitempty"`
	}
	wireSubject struct {
		C    string `json:"c"`
		Type string `json:"type"`
	}
	wireWindow struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
)

// Canonical returns the record's only bytes: JSON by RFC 8785 with integers and ASCII text alone, hence in Unicode
// normal form C too. Where the population is not whole, the state is Unknown. A field outside its form, or more
// than MaxBytes, is Invalid; the error names the field, never its value.
func (r Record) Canonical() ([]byte, error) {
	r = r.normal()
	if err := r.check(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // RFC 8785 escapes as little as JSON allows
	if err := encoder.Encode(r.wire()); err != nil {
		return nil, fmt.Errorf("encoding a record: %w", err)
	}
	data := bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	if len(data) > MaxBytes {
		return nil, fault.New(fault.Invalid, "record of %s: %d bytes, at most %d", kindName(r.Kind), len(data), MaxBytes)
	}
	return data, nil
}

// Parse reads canonical bytes. It accepts nothing else: a text that says the same in another way, holds an unknown
// name, or a state its population does not allow is Invalid, so that a record has one reading and one writing.
func Parse(data []byte) (Record, error) {
	if len(data) > MaxBytes {
		return Record{}, refused("is larger than %d bytes", MaxBytes)
	}
	if r, ok := parseCanonical(data); ok {
		return r, nil
	}
	tree, err := strictjson.Parse(data, maxDepth)
	if err != nil {
		return Record{}, refused("%w", err)
	}
	if err := plain(tree); err != nil {
		return Record{}, err
	}
	var w wire
	if _, err := strictjson.Decode(data, maxDepth, &w); err != nil {
		return Record{}, refused("%w", err)
	}
	if w.V != Version {
		return Record{}, refused("is of another version than %d", Version)
	}
	r, err := w.record()
	if err != nil {
		return Record{}, err
	}
	again, err := r.Canonical()
	switch {
	case err != nil:
		return Record{}, err
	case r.normal().Result.State != r.Result.State:
		return Record{}, refused("claims a state although its population is not whole")
	case r.ID() != w.ID:
		return Record{}, refused("has the name of another record")
	case !bytes.Equal(again, data):
		return Record{}, refused("is not in canonical form")
	}
	return r, nil
}

// parseCanonical reads bytes that are the writing of the record they were read as: those have no second reading, and equal
// bytes have the same version, name and state. What it turns down, Parse finds the reason for; that takes three times as
// long, and a log has many records to read.
func parseCanonical(data []byte) (Record, bool) {
	var w wire
	if json.Unmarshal(data, &w) != nil {
		return Record{}, false
	}
	r, err := w.record()
	if err != nil {
		return Record{}, false
	}
	again, err := r.Canonical()
	return r, err == nil && bytes.Equal(again, data)
}

func refused(format string, args ...any) error {
	return fault.New(fault.Invalid, "reading a record: "+format, args...)
}

var integerForm = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)

// plain refuses numbers and texts that readers are known to disagree about.
func plain(v strictjson.Value) error {
	switch v.Kind {
	case strictjson.Number:
		if !integerForm.MatchString(v.Text) {
			return refused("holds a number that is not a plain integer")
		}
		if n, err := strconv.ParseInt(v.Text, 10, 64); err != nil || !integer(n) {
			return refused("holds an integer beyond 2^53-1")
		}
	case strictjson.String:
		if !norm.NFC.IsNormalString(v.Text) {
			return refused("holds a text that is not in normal form C")
		}
	}
	for _, item := range v.Items {
		if err := plain(item); err != nil {
			return err
		}
	}
	for _, m := range v.Members {
		if !norm.NFC.IsNormalString(m.Name) {
			return refused("holds a name that is not in normal form C")
		}
		if err := plain(m.Value); err != nil {
			return err
		}
	}
	return nil
}

func format(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(timeForm)
}
