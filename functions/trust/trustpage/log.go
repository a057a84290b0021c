package trustpage

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/witness"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/trust/statement"
)

// kinds are those of records that usually concern no person.
var kinds = []record.Kind{record.Policy, record.Release, record.Attestation, record.Claim, record.Page, record.Key, record.Drill}

// public reports whether a record is about no person: it is of such a kind, and holds no commitment that stands for one.
// What counts many people together holds none. A statement is about a promise; who signed it, in a role, is its author,
// and stands there as a commitment that nobody without the salt can try.
func public(r record.Record) bool {
	signed := r.Kind == record.Attestation && r.Control == statement.Control
	about := func(s record.Subject) bool { return !signed || s.Type != "signer" }
	return slices.Contains(kinds, r.Kind) && !slices.ContainsFunc(r.Subjects, about)
}

// tileForm is the path of a tile or entry bundle below tile/ (C2SP tlog-tiles): its level, its number in groups of
// three digits, and its width where it is not full.
var tileForm = regexp.MustCompile(`^(entries|[0-9]|[1-5][0-9]|6[0-3])/(x[0-9]{3}/){0,6}[0-9]{3}(\.p/([1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?$`)

// indexForm is the number of a leaf as it is written in one way only.
var indexForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,17})$`)

func notInLog() error {
	return fault.Refuse(fault.NotFound, "not_in_log", "The log holds nothing under this name.", "Read the checkpoint: it says how far the log goes.")
}

// found turns what a reader of the log says into what a stranger may know. A log that does not fit its own signature
// is never answered from.
func found(err error) error {
	if fault.Is(err, fault.NotFound) {
		return notInLog()
	}
	return fault.New(fault.Transient, "reading the evidence log: %w", err)
}

func (t *trustpage) checkpoint(w http.ResponseWriter, r *http.Request) error {
	signed, err := witness.Checkpoint(r.Context(), t.log.Head, t.log.Trust)
	if fault.Is(err, fault.NotFound) {
		return fault.Refuse(fault.NotFound, "not_in_log", "Nothing has been sealed yet: there is no checkpoint.", "Come back in a few minutes.")
	}
	if err != nil {
		return found(err)
	}
	return answer(w, r, "text/plain; charset=utf-8", forNow, signed)
}

func (t *trustpage) receiptKeys(w http.ResponseWriter, r *http.Request) error {
	if t.receipt == nil {
		return fault.Refuse(fault.NotFound, "receipts_none", "No receipts of erasure are made here.", "Ask the company how it answers requests to be forgotten.")
	}
	return answer(w, r, "application/json", forNow, t.receipt)
}

func (t *trustpage) tile(w http.ResponseWriter, r *http.Request) error {
	path := r.PathValue("path")
	parts := tileForm.FindStringSubmatch(path)
	if parts == nil {
		return notInLog()
	}
	if parts[1] == "entries" && !t.entries {
		return fault.Refuse(fault.Denied, "entries_private", "The entries of this log are not public: some concern persons.",
			"Read the tiles of hashes, the records of public kinds, or ask for an evidence bundle.")
	}
	o, err := t.log.Tiles.Get(r.Context(), "tile/"+path)
	if err != nil {
		return found(err)
	}
	return answer(w, r, "application/octet-stream", forEver, o.Data)
}

func (t *trustpage) record(w http.ResponseWriter, r *http.Request) error {
	index, err := indexOf(r)
	if err != nil {
		return err
	}
	var leaf []byte
	if leaf, err = t.log.Reader.Record(r.Context(), index); err != nil {
		return found(err)
	}
	parsed, err := record.Parse(leaf)
	if err != nil || !t.entries && !public(parsed) {
		return fault.Refuse(fault.Denied, "record_private", "This record is not public: it concerns somebody, or is of a kind of which some do.",
			"Ask for the proof of the record: it shows that the log holds it, not what it says.")
	}
	return answer(w, r, "application/json", forEver, leaf)
}

func (t *trustpage) proof(w http.ResponseWriter, r *http.Request) error {
	index, err := indexOf(r)
	if err != nil {
		return err
	}
	file, err := t.log.Reader.LogProof(r.Context(), index)
	if err != nil {
		return found(err)
	}
	w.Header().Set("Content-Disposition", `attachment; filename="record-`+number(index)+`.tlog-proof"`)
	return answer(w, r, "text/plain; charset=utf-8", forNow, file)
}

// indexOf reads the number of a leaf from the path.
func indexOf(r *http.Request) (int64, error) {
	text := r.PathValue("index")
	if !indexForm.MatchString(text) {
		return 0, notInLog()
	}
	index, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, notInLog()
	}
	return index, nil
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
