package request

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// tenantBytes of an id say whose the request is.
const tenantBytes = 10

// under is how the ids of a tenant's requests begin, and with them the keys of their messages and letters and of all that is
// kept of them. Without the key it does not say which tenant.
func (s *Service) under(tenant string) string { return underBy(s.Mark, tenant) }

func underBy(key []byte, tenant string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("tenant of a request\x00" + tenant))
	return coder.EncodeToString(h.Sum(nil)[:tenantBytes])
}

// within reports whether a request is where its tenant's are, or were before the key changed.
func (s *Service) within(r Request) bool {
	return strings.HasPrefix(r.ID, s.under(r.Tenant)) ||
		slices.ContainsFunc(s.Former, func(key []byte) bool { return strings.HasPrefix(r.ID, underBy(key, r.Tenant)) })
}

// errKey: a request lies where no key puts its tenant's. Most likely the key was changed and the one before dropped: none of them is
// to be taken for one that ended, nor for another tenant's.
var errKey = fault.New(fault.Misconfigured, "reading a request: its id is not made with any of the keys for marks that are known here")

// Meant returns the id of the request that a message is about. One that names another tenant than the request's own has
// nothing done for it: that is put on record, and whoever looks after requests is told, once a day. Denied, code other_tenant.
// A request there is none of is nobody's: its id is returned. Misconfigured: the tenant is the request's, and no key put it there.
func (s *Service) Meant(ctx context.Context, n Notice, now time.Time) (string, error) {
	if !isID(n.Request) {
		return n.Request, nil
	}
	var r Request
	err := s.Store.Get(ctx, Requests, n.Request, &r)
	switch {
	case fault.Is(err, fault.NotFound):
		return n.Request, nil
	case err != nil:
		return "", err
	case n.Tenant == r.Tenant && s.within(r):
		return n.Request, nil
	case n.Tenant == r.Tenant:
		return "", errKey
	}
	if err := s.foreign(ctx, r, now); err != nil {
		return "", err
	}
	return "", fault.Refuse(fault.Denied, "other_tenant", "The request is not of the tenant that the message names.", "Find out who sent it.")
}

// foreign raises the alarm about a message that names another tenant.
func (s *Service) foreign(ctx context.Context, r Request, now time.Time) error {
	ring, err := Alarm{s.Policy, s.Letters, s.Messages, s.Random, s.Desk}.Ready(ctx)
	if err != nil {
		return err
	}
	today := calendar.Date(now, s.Rules.Zone).String()
	told := s.mark("foreign", r.ID, today)
	return s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var known repeated
		if err := tx.Get(asks, told, &known); err == nil {
			return nil
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		t := &turn{s: s, batch: batch, now: now}
		rec := t.begun(record.DSR, r, "foreign_message#"+today)
		rec.Result = record.Result{State: record.Violation}
		rec.Facts = map[string]string{"event": "foreign_message", "state": string(r.State), "day": today}
		if err := t.emit(rec); err != nil {
			return err
		}
		if err := ring(batch, told, "message", spoken(r.Number), "", now); err != nil {
			return err
		}
		return tx.Put(asks, told, repeated{V: version, Count: 1, Request: r.ID, Expires: now.Add(48 * time.Hour)})
	})
}
