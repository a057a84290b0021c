// Package people turns what the company's directory says of accounts into facts assertions look at.
//
// # What it promises
//
// There is one asset for each person the policy approves, named by her id and never by her address. What the directory could
// not say of somebody is not known: her asset has no data then, and whatever needs it is undetermined. Who has no account is
// a deletion only because the directory says so.
//
// # What it does not do
//
// It reads no settings of the whole domain: types such as cloudidentity.ostiary/TwoStepPolicy have no asset here, and what
// needs them cannot tell. Accounts of nobody in people.yaml are not looked for.
package people

import (
	"context"
	"strconv"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// Type is the type of an account, Scope where all of them are listed.
const (
	Type  = "directory.ostiary/Account"
	Scope = "directory"
)

// perPage is how many accounts one page asks for: each is a question to the directory.
const perPage = 50

// New returns a source of the accounts of a policy's people. Closing it leaves the directory open.
func New(d directory.Directory, p *policy.Policy, clk clock.Clock) asset.Source {
	return &source{d, p, clk}
}

type source struct {
	directory directory.Directory
	policy    *policy.Policy
	clock     clock.Clock
}

// Key is the key of a person's account.
func Key(person string) string { return "//directory.ostiary/accounts/" + person }

func (s *source) Scopes() []string { return []string{Scope} }

func (s *source) Close() error { return nil }

// List returns accounts. Who may use an account is no fact of the directory's: that page is empty.
func (s *source) List(ctx context.Context, scope string, what asset.Content, kinds []string, page string) (asset.Page, error) {
	out := asset.Page{Read: s.clock.Now().UTC()}
	from := 0
	if page != "" {
		n, err := strconv.Atoi(page)
		if err != nil || n < 0 || n > len(s.policy.People) {
			return out, fault.New(fault.Invalid, "listing accounts: no such page")
		}
		from = n
	}
	switch {
	case scope != Scope:
		return out, fault.New(fault.NotFound, "listing accounts: no such scope")
	case what != asset.Resources || !contains(kinds):
		return out, nil
	}
	to := min(from+perPage, len(s.policy.People))
	for i, p := range s.policy.People[from:to] {
		if !p.Active(out.Read) {
			continue
		}
		a, err := s.account(ctx, p)
		switch {
		case ctx.Err() != nil:
			return asset.Page{}, fault.New(fault.Transient, "listing accounts: %w", ctx.Err())
		case err != nil && len(out.Unread) < asset.MaxUnread:
			out.Unread = append(out.Unread, Type+" "+strconv.Itoa(from+i+1))
		}
		out.Assets = append(out.Assets, a)
	}
	if to < len(s.policy.People) {
		out.Next = strconv.Itoa(to)
	}
	return out, nil
}

func contains(kinds []string) bool {
	for _, k := range kinds {
		if k == Type {
			return true
		}
	}
	return false
}

// Get reads one account.
func (s *source) Get(ctx context.Context, kind, key string) (asset.Asset, error) {
	id, is := strings.CutPrefix(key, Key(""))
	if kind != Type || !is {
		return asset.Asset{}, fault.New(fault.NotFound, "reading an account: %s is none", kind)
	}
	p, known := s.policy.PersonByID(id)
	if !known || !p.Active(s.clock.Now()) { // what nobody approves is not looked for
		return asset.Asset{Key: key, Type: Type, Deleted: true, Read: s.clock.Now().UTC()}, nil
	}
	return s.account(ctx, p)
}

// account reads one account; beside an error it is one of which nothing is known.
func (s *source) account(ctx context.Context, p policy.Person) (asset.Asset, error) {
	a := asset.Asset{Key: Key(p.ID), Type: Type, Read: s.clock.Now().UTC()}
	found, err := s.directory.Lookup(ctx, p.Email, directory.MaxAge)
	switch {
	case fault.Is(err, fault.NotFound):
		a.Deleted = true
		return a, nil
	case err != nil:
		return a, err
	}
	if !found.Read.IsZero() {
		a.Read = found.Read.UTC()
	}
	// Enrolled and enforced are one answer: where it is no, nobody knows which of the two is missing.
	a.Data = asset.Object{"suspended": found.Suspended, "twoStep": found.TwoStep}
	return a, nil
}
