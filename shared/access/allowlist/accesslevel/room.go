package accesslevel

import (
	"cmp"
	"slices"
	"strings"

	"ostiary.internal/shared/access/allowlist"
)

// room is what the levels had room for when they were read last.
type room struct {
	conditions int            // of all levels together
	levels     int            // that the policy takes beside those there are
	ends       map[int64]bool // for which there is a level
}

// room is what a view has room for. The end that has always been is counted as needed: some level may be left with nothing.
func (v *view) room(size int) *room {
	r := &room{conditions: len(v.shells) * size, levels: mostLevels - v.levels, ends: map[int64]bool{}}
	for until := range v.ends {
		r.ends[until] = true
	}
	if !r.ends[0] {
		r.ends[0], r.levels = true, max(0, r.levels-1)
	}
	return r
}

// packing counts what a set takes while it grows.
type packing struct {
	*room
	held  map[holding]int64
	count map[owner]int // addresses
	used  int           // conditions
	fresh map[int64]int // conditions that end then and need a level for that
}

// conditions is how many hold so many addresses.
func conditions(addresses int) int { return (addresses + mostItems - 1) / mostItems }

// put lets a member in from somewhere until then, and returns the time that was until now; 0 when there was none.
func (p *packing) put(h holding, until int64) (before int64) {
	before = p.held[h]
	if before > 0 {
		p.add(owner{h.member, before}, -1)
	}
	if p.held[h] = until; until > 0 {
		p.add(owner{h.member, until}, 1)
	}
	return before
}

func (p *packing) add(o owner, n int) {
	more := conditions(p.count[o]+n) - conditions(p.count[o])
	p.count[o] += n
	p.used += more
	if p.ends[o.until] {
		return
	}
	if p.fresh[o.until] += more; p.fresh[o.until] == 0 {
		delete(p.fresh, o.until)
	}
}

func (p *packing) fits() bool { return p.used <= p.conditions && len(p.fresh) <= p.levels }

// Over implements allowlist.Packer. Sites come first, then leases by age, and each takes what room is left: one that shares a
// condition with an older one takes none. Before the levels were read it is nobody, and so is whoever has no sign-in address:
// that is for Apply to say.
func (t *Target) Over(s allowlist.Set) []string {
	last := t.room.Load()
	if last == nil || t.options.Account == nil {
		return nil
	}
	p := packing{room: last, held: map[holding]int64{}, count: map[owner]int{}, fresh: map[int64]int{}}
	type wish struct {
		holding
		allowlist.Holder
	}
	var wishes []wish
	for _, e := range s.Entries() {
		if e.Site != "" {
			p.put(holding{"", e.Prefix}, ending(e.SiteUntil))
		}
		for _, h := range e.Holders {
			if member, known := t.member(h.Person); known {
				wishes = append(wishes, wish{holding{member, e.Prefix}, h})
			}
		}
	}
	slices.SortFunc(wishes, func(a, b wish) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Lease, b.Lease))
	})
	var over []string
	for _, w := range wishes {
		until := max(p.held[w.holding], ending(w.Until))
		if before := p.put(w.holding, until); !p.fits() {
			p.put(w.holding, before)
			over = append(over, w.Lease)
		}
	}
	slices.Reverse(over)
	return over
}
