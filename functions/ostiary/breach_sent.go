package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
)

// sentWord is the last certain word of the log about one recipient of a notice.
type sentWord struct {
	inCase, tenant, recipient string // commitments
	notice                    int
	how, by                   string // how the delivery stood, and by which channel
	at                        time.Time
	seen                      time.Time
	taken                     bool // compared with the store
}

// sentNotice is what the log says of a notice.
type sentNotice struct {
	number, handed int
	at             time.Time
	recipients     []*sentWord
}

// sentWords is what a log says was sent to customers.
type sentWords struct {
	recipients map[[4]string]*sentWord // by case, notice, tenant and recipient
	handed     map[[2]string]*sentNotice
}

// read reads the log, every entry proved against its checkpoint.
func (a *afterRestore) read(ctx context.Context, from, trustFile string) (*sentWords, error) {
	trust, err := readTrust(trustFile)
	if err != nil {
		return nil, err
	}
	var src verify.Source = published{url: strings.TrimSuffix(from, "/"), do: client()}
	if !isURL(from) {
		opened, done, err := openBundle(from)
		if err != nil {
			return nil, err
		}
		defer done()
		src = opened
	}
	signed, err := src.Read(ctx, verify.CheckpointFile, sign.MaxNote)
	if err != nil {
		return nil, err
	}
	head, err := trust.Verify(signed)
	if err != nil {
		return nil, err
	}
	words := &sentWords{map[[4]string]*sentWord{}, map[[2]string]*sentNotice{}}
	err = verify.Reader(src, signed, trust).Entries(ctx, 0, head.Size, func(index int64, leaf []byte) error {
		r, err := record.Parse(leaf)
		if err != nil {
			return fmt.Errorf("reading record %d: %w", index, err)
		}
		a.Read++
		if at := r.Source.Observed; at.Before(a.before) {
			if at.After(a.Until) {
				a.Until = at
			}
			words.hear(r)
		}
		return nil
	})
	return words, err
}

// hear takes a record about a notice to customers. Those of exercises are of another kind.
func (w *sentWords) hear(r record.Record) {
	number, err := strconv.Atoi(r.Facts["notice"])
	if r.Control != cases.Control || r.Kind != record.Breach || err != nil {
		return
	}
	of := func(kind string) string {
		at := slices.IndexFunc(r.Subjects, func(s record.Subject) bool { return s.Type == kind })
		if at < 0 {
			return ""
		}
		return r.Subjects[at].C
	}
	how, is := strings.CutPrefix(r.Facts["event"], "delivery_")
	switch n, counts := strconv.Atoi(r.Facts["handed"]); {
	case is:
		w.delivered(&sentWord{inCase: of("case"), tenant: of("tenant"), recipient: of("recipient"), notice: number, how: how, by: r.Facts["channel"], at: said(r), seen: r.Source.Observed})
	case counts == nil && n > 0:
		w.handed[[2]string{of("case"), r.Facts["notice"]}] = &sentNotice{number: number, handed: n, at: r.Source.Observed}
	}
}

// delivered keeps the last word about a recipient. That nobody answered takes nothing back that was certain.
func (w *sentWords) delivered(now *sentWord) {
	key := [4]string{now.inCase, strconv.Itoa(now.notice), now.tenant, now.recipient}
	before := w.recipients[key]
	if before != nil && (now.seen.Before(before.seen) || before.how == "arrived" && now.how == "doubtful") {
		return
	}
	if before != nil && before.how == now.how && now.how == "arrived" {
		now.at = before.at // another word that it arrived; when it did stands
	}
	w.recipients[key] = now
}

// said is when what a record says was so, as its facts have it.
func said(r record.Record) time.Time {
	at, err := time.Parse(time.RFC3339, r.Facts["at"])
	if err != nil {
		return r.Source.Observed
	}
	return at
}

// notices are those of a case, in order, each with its recipients.
func (w *sentWords) notices(inCase string) (all []*sentNotice) {
	found := map[int]*sentNotice{}
	for key, n := range w.handed {
		if key[0] == inCase {
			found[n.number] = n
			all = append(all, n)
		}
	}
	for _, word := range w.recipients {
		if word.inCase != inCase {
			continue
		}
		word.taken = true
		n := found[word.notice]
		if n == nil { // stopped before all of it was handed over
			n = &sentNotice{number: word.notice}
			found[word.notice], all = n, append(all, n)
		}
		n.recipients = append(n.recipients, word)
	}
	for _, n := range all {
		order(n.recipients)
	}
	slices.SortFunc(all, func(a, b *sentNotice) int { return cmp.Compare(a.number, b.number) })
	return all
}

// rest is what belongs to no case that was compared.
func (w *sentWords) rest() (all []*sentWord) {
	for _, word := range w.recipients {
		if !word.taken {
			all = append(all, word)
		}
	}
	order(all)
	return all
}

func order(all []*sentWord) {
	slices.SortFunc(all, func(a, b *sentWord) int {
		return cmp.Or(cmp.Compare(a.inCase, b.inCase), cmp.Compare(a.notice, b.notice), a.seen.Compare(b.seen), cmp.Compare(a.recipient, b.recipient), cmp.Compare(a.tenant, b.tenant))
	})
}
