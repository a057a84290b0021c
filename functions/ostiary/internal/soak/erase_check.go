package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/evidence/verify"
)

// document is one of the sample data.
type document struct {
	Tenant, Store, Place, Name string
	Fields                     map[string]any
}

func (e *erase) check(ctx context.Context) error {
	// Who has an answer sees it now; what waits for the desk waits on.
	for _, s := range e.subjects {
		if s.code != "" && s.confirmed && !slices.Contains(over, s.state) {
			if err := e.looks(ctx, s); err != nil {
				return err
			}
		}
	}
	var told struct{ Documents []document }
	if err := e.client.read(ctx, "data", &told); err != nil {
		return err
	}
	now, err := e.client.now(ctx)
	if err != nil {
		return err
	}
	gone(e.oracle, e.subjects, told.Documents, now)
	if err := e.receipts(ctx); err != nil {
		return err
	}
	signed := 0
	for _, s := range e.subjects {
		if s.receipt {
			signed++
		}
	}
	// Of who is forgotten later than she looked there is a receipt too, and another where recipients have answered.
	e.log.counts("an erasure", signed, 2*len(e.subjects), func(r record.Record) bool { return r.Kind == record.DSR && r.Facts["event"] == "receipt" })
	return nil
}

// gone: of who was erased no store holds anything, in any spelling; of who did not ask, or took it back in time, and of
// the twin, everything is there.
func gone(o *oracle, subjects []*subject, docs []document, now time.Time) {
	found := map[string]map[string]int{north: {}, south: {}}
	for _, d := range docs {
		data, _ := json.Marshal(d)
		lower := strings.ToLower(string(data))
		for i := strings.Index(lower, "uq"); i >= 0; {
			if len(lower) >= i+8 && strings.HasSuffix(lower[i:i+8], "zk") {
				if count := found[d.Tenant]; count != nil {
					count[lower[i:i+8]]++
				}
				break
			}
			next := strings.Index(lower[i+2:], "uq")
			if next < 0 {
				break
			}
			i += 2 + next
		}
		for _, s := range subjects {
			if d.Tenant != south && slices.Contains(over, s.state) {
				o.holds(erasedGone, !strings.Contains(lower, s.uid) && !strings.Contains(lower, s.email), "%s was erased, and stands in %s/%s/%s of %s", s.uid, d.Store, d.Place, d.Name, d.Tenant)
			}
		}
	}
	for _, s := range subjects {
		if !s.planted || now.Sub(s.born) > 80*24*time.Hour {
			continue
		}
		if s.twin {
			o.holds(erasedGone, found[south][s.uid] == s.docs, "of the twin of %s there are %d of %d documents", s.uid, found[south][s.uid], s.docs)
		}
		switch {
		case slices.Contains(over, s.state):
			o.holds(erasedGone, found[north][s.uid] == 0, "%s was erased, and %d documents of hers are there", s.uid, found[north][s.uid])
		case !s.sent:
			o.holds(erasedGone, found[north][s.uid] == s.docs, "%s has confirmed nothing, and %d of %d documents are there", s.uid, found[north][s.uid], s.docs)
		}
	}
}

// receipts: whoever was erased has a signed receipt.
func (e *erase) receipts(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(e.data(), "receipts", "trust.json"))
	if err != nil {
		return err
	}
	trust, err := sign.ReadTrust(text)
	if err != nil {
		return err
	}
	for _, s := range e.subjects {
		if !slices.Contains(over, s.state) || s.receipt {
			continue
		}
		good := 0
		for _, q := range s.requests {
			a, err := e.client.again(ctx, call{kind: "deletion requests", method: "GET", path: "/requesterasure/v1/requests/" + q + "/receipt", from: e.network(s), header: map[string]string{"Request-Secret": s.code}})
			if err != nil {
				return err
			}
			if a.good() {
				report := receipt.Verify(a.body, trust)
				e.oracle.holds(erasedGone, report.Outcome == verify.Good, "the receipt of %s is %s: %s", s.uid, report.Outcome, report.Why)
				good++
			}
		}
		s.receipt = good > 0
		e.oracle.holds(erasedGone, good > 0, "%s was erased and has no receipt", s.uid)
	}
	return nil
}

// forgotten: when the process has ended, no file holds who was erased in the one place where she was, but her own
// mailbox.
func (e *erase) forgotten() error {
	var words []string
	for _, s := range e.subjects {
		if slices.Contains(over, s.state) && !s.twin {
			words = append(words, s.uid, strings.TrimSuffix(s.email, "@mail.example"))
		}
	}
	return filepath.WalkDir(e.data(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "mail.db" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("searching what is left: %w", err)
		}
		lower := strings.ToLower(string(data))
		for _, word := range words {
			i := strings.Index(lower, word)
			e.oracle.holds(erasedGone, i < 0, "%s, who was erased, stands in the file %s: %q", word, path, around(data, []int{i, i + len(word)}))
		}
		return nil
	})
}
