package pair

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// A code of a device is short, for it is typed: 40 bits. Guessing is for the person herself alone, among her own open
// ones, below the source cap: within its life, less than one chance in 10^7 at 1,200 guesses a minute.
const (
	CodeLife = 5 * time.Minute
	MaxOpen  = 3 // codes of one person
	length   = 8
	alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ" // without 0 and O, 1 and I
)

// device is another device of a person that asks to be let in. Its id is made of person and code with the key.
type device struct {
	V       int        `json:"v"`
	Person  string     `json:"person"`
	Address netip.Addr `json:"address"` // as observed
	Nonce   string     `json:"nonce"`
	Until   int64      `json:"until"` // unix microseconds
	Expires time.Time  `json:"expires"`
}

// Device is what asks: a code, and from where.
type Device struct {
	Code    string // as it is shown: two groups of four
	Address netip.Addr
	Until   time.Time
}

// Ask opens a code for the device a person is at, which comes from addr; one that is open for this address already is
// returned again. Codes address_refused, address_unknown, relay_refused and hosting_refused, as at a registration; Conflict
// with code "device_limit" when MaxOpen are open.
func (s *Service) Ask(ctx context.Context, person string, addr netip.Addr, now time.Time) (Device, error) {
	if err := s.Leases.Acceptable(addr); err != nil {
		return Device{}, err
	}
	nonce, err := s.nonce()
	if err != nil {
		return Device{}, err
	}
	until := now.Add(CodeLife)
	fresh := device{V: 1, Person: person, Address: addr.Unmap(), Nonce: nonce, Until: until.UnixMicro(), Expires: until}
	code, err := s.code(nonce)
	if err != nil {
		return Device{}, err
	}
	asked := fresh
	err = s.Store.Tx(ctx, func(tx store.Tx) error {
		asked = fresh
		mine, err := open[device](tx.Query, devices, person, now)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(mine, func(d device) bool { return d.Address == fresh.Address }); i >= 0 {
			asked = mine[i]
			return nil
		}
		if len(mine) >= MaxOpen {
			return fault.Refuse(fault.Conflict, "device_limit", fmt.Sprintf("%d of your devices wait for a code already.", len(mine)),
				"Type one of their codes, or wait five minutes.")
		}
		return tx.Create(devices, s.id(person, code), fresh)
	})
	if err != nil {
		return Device{}, fmt.Errorf("asking for another device: %w", err)
	}
	return s.shown(asked)
}

// Asked returns the open codes of a person.
func (s *Service) Asked(ctx context.Context, person string, now time.Time) ([]Device, error) {
	found, err := open[device](s.query(ctx), devices, person, now)
	if err != nil {
		return nil, err
	}
	asked := make([]Device, len(found))
	for i, d := range found {
		if asked[i], err = s.shown(d); err != nil {
			return nil, err
		}
	}
	return asked, nil
}

func (s *Service) shown(d device) (Device, error) {
	code, err := s.code(d.Nonce)
	if err != nil {
		return Device{}, err
	}
	return Device{Code: code[:length/2] + "-" + code[length/2:], Address: d.Address, Until: time.UnixMicro(d.Until)}, nil
}

func (s *Service) code(nonce string) (string, error) {
	secret, err := s.secret("code", nonce)
	if err != nil {
		return "", err
	}
	var code [length]byte
	for i := range code {
		code[i] = alphabet[int(secret[i])%len(alphabet)] // 256 is a multiple of 32
	}
	return string(code[:]), nil
}

// id is what is stored of a code: nobody can try codes out without the key.
func (s *Service) id(person, code string) string {
	h := hmac.New(sha256.New, s.Key)
	fmt.Fprintf(h, "ostiary pair v1 device %d:%s %s", len(person), person, code)
	return hex.EncodeToString(h.Sum(nil))
}

// typed reads a code as people type it; "" for what cannot be one.
func typed(text string) string {
	code := strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(text))
	if len(code) != length {
		return ""
	}
	return code
}

// Look says which device of a person shows a code. One that is unknown, over, used or another person's is NotFound with
// code "device_unknown".
func (s *Service) Look(ctx context.Context, person, text string) (Device, error) {
	d, err := s.find(person, text, func(id string, d *device) error { return s.Store.Get(ctx, devices, id, d) })
	if err != nil {
		return Device{}, err
	}
	return s.shown(d)
}

func (s *Service) find(person, text string, get func(id string, d *device) error) (device, error) {
	unknown := fault.Refuse(fault.NotFound, "device_unknown", "None of your devices shows this code now.",
		"Type the code the other device shows; it changes after five minutes.")
	var d device
	if s.Key == nil {
		return d, fault.New(fault.Misconfigured, "pairing: codes are made with a key, and there is none")
	}
	code := typed(text)
	if code == "" {
		return d, unknown
	}
	err := get(s.id(person, code), &d)
	if fault.Is(err, fault.NotFound) { // or over: a document that has expired is none
		return device{}, unknown
	}
	if err != nil {
		return device{}, fmt.Errorf("looking for a device: %w", err)
	}
	return d, nil
}

// Approve makes a registration one of the device that shows a code: its address is the one that is registered, and the
// code is used up in the transaction that registers it. Code device_unknown as in Look.
func (s *Service) Approve(r *lease.Request, text string) {
	granted := r.Granted
	r.Elsewhere = func(tx store.Tx) (netip.Addr, error) {
		d, err := s.find(r.Person, text, func(id string, d *device) error { return tx.Get(devices, id, d) })
		return d.Address, err
	}
	r.Granted = func(tx store.Tx, l lease.Lease) error {
		if granted != nil {
			if err := granted(tx, l); err != nil {
				return err
			}
		}
		return tx.Delete(devices, s.id(r.Person, typed(text)))
	}
}
