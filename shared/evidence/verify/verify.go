// Package verify checks evidence that somebody handed over: offline, without an account, trusting nothing but a list of
// keys that came another way.
//
// It promises that a bundle it calls good is the log that a trusted key signed, leaf for leaf; that each leaf is a
// record with one reading; that the log extends every earlier checkpoint it was shown; that payloads and proofs beside
// it belong to it; and, given the rule that computes the trust page, that the page says what the records say. A fault
// of any byte it looks at is found, and named. Memory does not grow with the log: one entry bundle, one tile a level
// and one number a control are held. It does not say that a record was true when it was written.
package verify

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// Basis is what a trust page is computed from, for the time At.
type Basis struct {
	Register []byte // the promises, register.json as it lies in the bundle
	Origin   string // of the log
	Size     int64  // how many leaves the page has seen
	At       time.Time
	Leaves   iter.Seq2[int64, record.Record] // the first Size leaves by index; to be read once
	Root     func() tlog.Hash                // of the leaves read so far
}

// Recompute returns the page a basis leads to, byte for byte. Invalid when the register cannot be read.
type Recompute func(Basis) (page []byte, err error)

// Options say what to check and by what.
type Options struct {
	Trust     sign.Trust
	Recompute Recompute // nil: the page is compared with its record, but not computed again
	Since     []byte    // an earlier checkpoint the reader kept, as it was signed; nil for none
	Strict    bool      // a witness and runs without gaps are required
	Promise   string    // which records Selected counts: those that name it; "" for all
	From, To  time.Time // and those observed in this span, To exclusive; zero for no limit
}

// Report is what was found. The zero values stand for what could not be looked at.
type Report struct {
	V         int       `json:"v"`
	Outcome   Outcome   `json:"outcome"`
	Exit      int       `json:"exit"`
	Origin    string    `json:"origin,omitempty"`
	Size      int64     `json:"size"`
	Root      string    `json:"root,omitempty"` // base64, as in the checkpoint
	Keys      []string  `json:"keys"`           // verifier keys of the log that signed
	Witnesses []Witness `json:"witnesses"`
	Earlier   []int64   `json:"earlier"` // sizes of the earlier checkpoints the log extends
	Records   int64     `json:"records"` // leaves read
	Selected  Selected  `json:"selected"`
	Page      *Page     `json:"page,omitempty"`
	Payloads  int       `json:"payloads"` // payloads that are what their record commits to
	Proofs    int       `json:"proofs"`   // proofs that hold
	Erased    int       `json:"erased"`   // records whose payload is gone, as erasure records explain
	Gaps      []Gap     `json:"gaps"`     // runs no record was found of
	Rewinds   []Rewind  `json:"rewinds"`  // where the log says that it was set back
	GapsCut   bool      `json:"gaps_cut"` // there may be more of them: too many runs are missing, or controls there, to follow
	Failures  []Failure `json:"failures"`
}

// Witness is a good cosignature.
type Witness struct {
	Key string    `json:"key"`
	At  time.Time `json:"at"`
}

// Rewind is a record of the log that it was set back, and that somebody accepted it.
type Rewind struct {
	Index int64     `json:"index"`
	At    time.Time `json:"at"`
	Gone  log.Point `json:"gone"` // what led to it counts no longer
	Kept  log.Point `json:"kept"` // from where the log goes on
	Why   string    `json:"why"`
}

// Selected counts the records asked for.
type Selected struct {
	Records int64     `json:"records"`
	First   int64     `json:"first"` // index in the log; -1 when there is none
	Last    int64     `json:"last"`
	Newest  time.Time `json:"newest,omitzero"`
}

// Page is the newest page record and what became of it.
type Page struct {
	Index    int64     `json:"index"`
	Size     int64     `json:"size"`
	At       time.Time `json:"at"`
	Digest   string    `json:"digest"`
	Computed bool      `json:"computed"` // it was computed again from the records, and is the same
}

// maxFailures bounds what is listed of one bundle.
const maxFailures = 20

// Verify checks a bundle. An error is returned only where the check itself could not be done: the context ended, or the
// bundle could not be read for a reason of this machine. Whatever is wrong with the bundle is in the report.
func Verify(ctx context.Context, src Source, o Options) (Report, error) {
	v := &verifier{src: src, options: o, erased: map[string]bool{}, runs: runs{controls: map[string]*sequence{}}, report: newReport()}
	err := v.run(ctx)
	if f, ok := errors.AsType[*Failure](err); ok {
		v.fail(*f)
		err = nil
	}
	v.report.Exit = v.report.Outcome.Exit()
	return v.report, err
}

func newReport() Report {
	return Report{V: 1, Outcome: Good, Keys: []string{}, Witnesses: []Witness{}, Earlier: []int64{}, Gaps: []Gap{}, Rewinds: []Rewind{}, Failures: []Failure{}, Selected: Selected{First: -1, Last: -1}}
}

// UnreadableTrust is the report where sign.ReadTrust refused the trust file called where.
func UnreadableTrust(where string, why error) Report {
	return refused(failure(trustMalformed, where, why))
}

// UnreadableBundle is the report where Zip refused the archive called where.
func UnreadableBundle(where string, why error) Report {
	return refused(failure(bundleMalformed, where, why))
}

func refused(f Failure) Report {
	r := newReport()
	r.Outcome, r.Failures = f.Outcome, []Failure{f}
	r.Exit = r.Outcome.Exit()
	return r
}

type verifier struct {
	src     Source
	options Options
	report  Report

	head     sign.Verified
	shown    map[int64][32]byte // the root of each size there is a checkpoint of: the first that was shown
	earlier  []earlier          // by size
	payloads map[string]bool    // by record id: not yet seen in the log
	proofs   map[int64][]string // names of proof files by index of the leaf
	erased   map[string]bool    // ids of records that erasure records name
	runs     runs
	page     record.Record // the newest page record
	pageAt   int64         // its index; -1 for none
	spoiled  bool          // the leaves are not those of the log, or not records: no page follows from them
}

// fail notes a failure. Beyond those that are listed, a graver one still decides the outcome.
func (v *verifier) fail(f Failure) {
	v.report.Outcome = graver(v.report.Outcome, f.Outcome)
	if len(v.report.Failures) < maxFailures {
		v.report.Failures = append(v.report.Failures, f)
	}
}

// run does the checks in order; each needs the one before.
func (v *verifier) run(ctx context.Context) error {
	v.pageAt = -1
	if err := v.openHead(ctx); err != nil {
		return err
	}
	if err := v.openEarlier(ctx); err != nil {
		return err
	}
	if err := v.openExtras(ctx); err != nil {
		return err
	}
	slices.SortStableFunc(v.earlier, func(a, b earlier) int { return cmp.Compare(a.size, b.size) })
	if err := v.readLog(ctx); err != nil {
		return err
	}
	v.settle()
	if v.spoiled {
		return nil
	}
	return v.checkPage(ctx)
}

// noted notes what is wrong with one file, and lets the check go on. Other errors it returns.
func (v *verifier) noted(err error) error {
	if f, ok := errors.AsType[*Failure](err); ok {
		v.fail(*f)
		return nil
	}
	return err
}

// spoil notes a failure that leaves nothing to compute a page from.
func (v *verifier) spoil(f Failure) {
	v.spoiled = true
	v.fail(f)
}

// openHead reads the checkpoint of the bundle and who signed it.
func (v *verifier) openHead(ctx context.Context) error {
	signed, err := v.src.Read(ctx, CheckpointFile, sign.MaxNote)
	if err != nil {
		return asFailure(err, CheckpointFile, checkpointMissing, checkpointMalformed)
	}
	if v.head, err = open(v.options.Trust, signed, CheckpointFile); err != nil {
		return err
	}
	v.report.Origin, v.report.Size, v.report.Root = v.head.Origin, v.head.Size, tlog.Hash(v.head.Root).String()
	v.report.Keys = v.head.Keys
	v.shown = map[int64][32]byte{v.head.Size: v.head.Root}
	for _, w := range v.head.Witnesses {
		v.report.Witnesses = append(v.report.Witnesses, Witness(w))
	}
	if v.options.Strict && len(v.head.Witnesses) == 0 {
		v.fail(failure(witnessMissing, CheckpointFile, nil))
	}
	return nil
}

// open verifies a signed checkpoint, and says in the words of this package what is wrong with it.
func open(trust sign.Trust, signed []byte, where string) (sign.Verified, error) {
	verified, err := trust.Verify(signed)
	var code Code
	switch {
	case err == nil:
		return verified, nil
	case errors.Is(err, sign.ErrSignature):
		code = signatureBad
	case errors.Is(err, sign.ErrUntrusted):
		code = keyUntrusted
	default:
		code = checkpointMalformed
	}
	f := failure(code, where, err)
	return verified, &f
}

// asFailure tells a file that is not there from one that is unreadable for what it is; other errors are this machine's.
func asFailure(err error, where string, missing, malformed Code) error {
	code := malformed
	switch {
	case errors.Is(err, errNotPlain):
		code = bundleMalformed
	case fault.Is(err, fault.NotFound):
		code, err = missing, nil
	case !fault.Is(err, fault.Invalid):
		return err
	}
	f := failure(code, where, err)
	return &f
}
