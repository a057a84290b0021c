package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

// afterRestore is what evidence and the restored store say of notices to customers.
type afterRestore struct {
	Read    int64     `json:"records"`           // of the log
	Until   time.Time `json:"until,omitzero"`    // the newest that counts
	Noted   int       `json:"noted"`             // deliveries that were settled now
	Left    []*unsure `json:"left"`              // what is to be settled by hand
	Refused []string  `json:"refused,omitempty"` // why some could not be noted
	before  time.Time // when the store was put back: later records are its own
}

// unsure is one recipient of a notice, or some of whom nothing else is known, of whom the log says more than the store.
type unsure struct {
	Case      string    `json:"case"` // its number; "" for one the store does not have
	Notice    int       `json:"notice"`
	Tenant    string    `json:"tenant,omitempty"`    // "" where nobody can tell
	Delivery  string    `json:"delivery,omitempty"`  // "" where the store has none
	Recipient string    `json:"recipient,omitempty"` // a commitment
	Log       string    `json:"log"`                 // handed, or how the delivery stood
	By        string    `json:"by,omitempty"`        // the channel
	At        time.Time `json:"at,omitzero"`
	Store     string    `json:"store"`           // how the delivery stands there; "absent"
	Count     int       `json:"count,omitempty"` // of recipients of whom the log has no more than that they were handed over
	Page      string    `json:"page,omitempty"`

	path string // of the delivery
}

// restored compares what the evidence says was sent with what a restored store knows.
func (c *connection) restored(ctx context.Context, t terminal, args []string) int {
	from := t.flags.String("evidence", "", "the log: a bundle of before the restore, or the URL of the trust page")
	trustFile := t.flags.String("trust", "", "the trust file of the log")
	when := t.flags.String("restored", "", "when the restored store got its first traffic; the policy's breach.yaml says so by default")
	apply := t.flags.Bool("apply", false, "note at the deliveries of the store what the log says arrived")
	if code := t.parse(args, 0); code >= 0 {
		return code
	}
	at, err := instant("restored", *when)
	switch {
	case err != nil:
		return t.usage("%v", err)
	case *from == "":
		return t.usage("--evidence: name a bundle of the log, or the URL of its trust page")
	case *trustFile == "":
		return t.usage("--trust: name the trust file of the log")
	}
	if at.IsZero() {
		p, err := readPolicy(c.policy)
		if err == nil {
			decided, _ := breach.Read(p)
			at = decided.Restored
		}
		if at.IsZero() {
			return t.usage("--restored: say when the restored store got its first traffic, or write it into breach.yaml")
		}
	}
	found := &afterRestore{Left: []*unsure{}, before: at}
	words, err := found.read(ctx, *from, *trustFile)
	if err != nil {
		return t.fail(err)
	}
	code := c.run(ctx, t, func() error {
		if err := c.compare(ctx, t, words, found); err != nil {
			return err
		}
		if *apply {
			c.note(ctx, found)
		}
		if c.asJSON {
			return printJSON(t.out, found)
		}
		return found.tell(t)
	})
	if code == exitGood && len(found.Left) > 0 {
		return exitRefused
	}
	return code
}

// compare lists what the log says and the store does not.
func (c *connection) compare(ctx context.Context, t terminal, words *sentWords, found *afterRestore) error {
	// The list is empty for whoever may look at no case: that is not what a store looks like that knows nothing.
	if _, err := c.fetch(ctx, http.MethodGet, "/declarebreach/v1/drills", nil); err != nil {
		return err
	}
	all, err := c.pages(ctx, t, "")
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.Exercise {
			continue
		}
		if err := c.compareCase(ctx, one, words, found); err != nil {
			return err
		}
	}
	for _, said := range words.rest() {
		found.Left = append(found.Left, &unsure{Notice: said.notice, Recipient: said.recipient, Log: said.how, By: said.by, At: said.at, Store: absent})
	}
	return nil
}

const absent = "absent"

func (c *connection) compareCase(ctx context.Context, one listedBreach, words *sentWords, found *afterRestore) error {
	path := "/declarebreach/v1/breaches/" + url.PathEscape(one.ID)
	var known struct {
		Key    string                `json:"evidence_key"`
		Tracks []struct{ ID string } `json:"tracks"`
	}
	if err := c.ask(ctx, http.MethodGet, path, nil, &known); err != nil {
		return err
	}
	if known.Key == "" {
		return errors.New("reading a case: the server does not say by what its evidence is known; ask as security, the data protection officer or an owner")
	}
	named := func(kind, value string) string { return record.Commitment([]byte(known.Key), kind, value) }
	tenants := map[string]string{}
	for _, track := range known.Tracks {
		tenants[named("tenant", track.ID)] = track.ID
	}
	for _, n := range words.notices(named("case", one.ID)) {
		stored, err := c.storedDeliveries(ctx, path, n.number)
		if err != nil {
			return err
		}
		unheard := n.handed - len(stored)
		for _, said := range n.recipients {
			u := &unsure{Case: one.Number, Notice: n.number, Tenant: tenants[said.tenant], Recipient: said.recipient, Log: said.how, By: said.by, At: said.at, Store: absent, Page: c.url + "/declarebreach/case/" + one.ID + "/notices/" + strconv.Itoa(n.number)}
			if d := stored.find(named, said); d != nil {
				u.Delivery, u.Store, u.path = d.ID, d.Progress, path+"/notices/"+strconv.Itoa(n.number)+"/deliveries/"+url.PathEscape(d.ID)
			} else {
				unheard--
			}
			if u.Store != u.Log {
				found.Left = append(found.Left, u)
			}
		}
		if unheard > 0 {
			found.Left = append(found.Left, &unsure{Case: one.Number, Notice: n.number, Log: "handed", At: n.at, Store: absent, Count: unheard, Page: c.url + "/declarebreach/case/" + one.ID})
		}
	}
	return nil
}

// storedDelivery is a delivery as the store has it.
type storedDelivery struct {
	ID        string `json:"id"`
	Tenant    string `json:"tenant"`
	Recipient string `json:"recipient"` // a commitment, as in records
	Progress  string `json:"progress"`
}

type storedDeliveries []storedDelivery

// find is the delivery to the recipient the log means, whatever its ways.
func (all storedDeliveries) find(named func(kind, value string) string, said *sentWord) *storedDelivery {
	at := slices.IndexFunc(all, func(d storedDelivery) bool {
		return d.Recipient == said.recipient && named("tenant", d.Tenant) == said.tenant
	})
	if at < 0 {
		return nil
	}
	return &all[at]
}

// storedDeliveries reads those of a notice; of one the store does not have there are none.
func (c *connection) storedDeliveries(ctx context.Context, path string, n int) (all storedDeliveries, err error) {
	for after := ""; ; {
		var got struct {
			Deliveries storedDeliveries `json:"deliveries"`
			Next       string           `json:"next"`
		}
		err := c.ask(ctx, http.MethodGet, path+"/notices/"+strconv.Itoa(n)+"/deliveries?after="+url.QueryEscape(after), nil, &got)
		if fault.CodeOf(err) == "notice_unknown" {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, got.Deliveries...)
		if after = got.Next; after == "" {
			return all, nil
		}
	}
}

// note settles what arrived at the deliveries of the store. What is refused stays in the list.
func (c *connection) note(ctx context.Context, found *afterRestore) {
	found.Left = slices.DeleteFunc(found.Left, func(u *unsure) bool {
		if u.path == "" || u.Log != "arrived" {
			return false
		}
		if _, err := c.fetch(ctx, http.MethodPost, u.path+"/settle", map[string]any{"arrived": true, "at": u.At}); err != nil {
			found.Refused = append(found.Refused, u.Delivery+": "+err.Error())
			return false
		}
		found.Noted++
		return true
	})
}

func (a *afterRestore) tell(t terminal) error {
	fmt.Fprintf(t.out, "%d records read; those from before %s count.\n", a.Read, a.before.Format(time.RFC3339))
	if a.Noted > 0 {
		fmt.Fprintf(t.out, "Noted as arrived: %d.\n", a.Noted)
	}
	for _, why := range a.Refused {
		fmt.Fprintln(t.out, "Not noted: "+why)
	}
	if len(a.Left) == 0 {
		fmt.Fprintln(t.out, "The store knows all that the log says was sent.")
		return nil
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CASE\tNOTICE\tCUSTOMER\tTHE LOG SAYS\tTHE STORE SAYS\tSETTLE AT")
	for _, u := range a.Left {
		who, log := cmp.Or(u.Tenant, u.Recipient), strings.TrimSpace(u.Log+" "+u.By)
		if u.Count > 0 {
			who = fmt.Sprintf("%d recipients", u.Count)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s, %s\t%s\t%s\n", dash(u.Case), u.Notice, who, log, u.At.UTC().Format(time.RFC3339), u.Store, dash(u.Page))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if slices.ContainsFunc(a.Left, func(u *unsure) bool { return u.Case == "" }) {
		fmt.Fprintln(t.out, "Of a case that the store does not have nobody can tell from the log which customer it was: ask whoever declared it, and declare it again.")
	}
	fmt.Fprintln(t.out, "Whoever the log says has a notice, or may have, is not told the same again: leave them out of a notice that is written anew.")
	return nil
}
