package notice_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/require"
)

// randomLife is one random life of a firm, and what may leave in it.
type randomLife struct {
	*firm
	random *rand.Rand
	c      cases.Case
	wrote  map[int]map[string]bool // by notice: who wrote any version
	agreed map[string]bool         // number of the notice, address and text that somebody may have agreed to
	texts  int
}

// TestAnyLife draws lives: people write, approve, break the glass, decide, settle, channels are compromised, contacts change,
// peers answer anything, processes die anywhere and time passes. Whatever happens, nothing leaves that was not shown to
// whoever agreed to it, nobody agrees to her own, nobody gets a text twice, and no tenant reads of another.
func TestAnyLife(t *testing.T) {
	t.Parallel()
	for seed := range require.Seeds(25) {
		random := rand.New(rand.NewPCG(uint64(seed), 21))
		l := &randomLife{firm: newFirm(t), random: random, wrote: map[int]map[string]bool{}, agreed: map[string]bool{}}
		l.reply = func(message.Message) message.Outcome {
			return []message.Outcome{message.Accepted, message.Accepted, message.Failed, message.Unknown, message.Deferred}[random.IntN(5)]
		}
		l.c = l.decided(random.IntN(5) == 0, "nord", "sud", "ost")
		for range 60 {
			l.left = 5 + random.IntN(150)
			l.happen()
			l.left = -1
		}
		l.holds(seed)
		if t.Failed() {
			return
		}
	}
}

func (l *randomLife) who() string {
	return []string{"vera", "dana", "otto", "emma"}[l.random.IntN(4)]
}

// happen lets one thing happen; what is refused, or dies, is part of life.
func (l *randomLife) happen() {
	ctx, now := context.Background(), l.clock.Now()
	n := 1 + l.random.IntN(3)
	switch l.random.IntN(12) {
	case 0, 1:
		l.writes(n)
	case 2, 3, 4:
		l.agrees(n)
	case 5:
		_, _ = l.notices.Review(ctx, l.person(l.who()), l.c.ID, n, now)
	case 6:
		id := fmt.Sprintf("%s.%d.%05d", l.c.ID, n, l.random.IntN(5))
		if l.random.IntN(2) == 0 {
			_ = l.notices.Replay(ctx, l.person(l.who()), l.c.ID, n, id, now)
			return
		}
		_, _ = l.notices.Settle(ctx, l.person(l.who()), l.c.ID, n, id, notice.Found{Arrived: l.random.IntN(2) == 0}, now)
	case 7:
		e := cases.Event{What: cases.Answer, Subject: []string{"nord", "sud", "ost"}[l.random.IntN(3)], Yes: l.random.IntN(3) > 0}
		_, _ = l.cases.Do(ctx, l.c.ID, l.person(l.who()), e, cases.Words{Text: "because"}, now)
	case 8:
		l.left = -1
		old, new := "dpo@east.example", "privacy@east.example"
		if l.random.IntN(2) == 0 {
			old, new = new, old
		}
		if strings.Contains(string(l.files["p/tenants.yaml"].Data), old) {
			l.restart("tenants.yaml", old, new)
		}
	default:
		l.left = -1
		_ = l.clock.Set(now.Add(time.Duration(l.random.Int64N(int64(20 * time.Minute)))))
		_, _ = l.courier.Sweep(ctx)
		_, _ = l.courier.Box.Sweep(ctx)
		l.left = 5 + l.random.IntN(400)
		_ = l.settle()
		_ = l.notices.Tick(ctx, l.clock.Now())
		_ = l.settle()
	}
}

func (l *randomLife) writes(n int) {
	ctx, who := context.Background(), l.who()
	l.texts++
	d := draft(notice.Initial)
	for language := range d.Texts {
		d.Texts[language]["nature"] = fmt.Sprintf("Version %d.", l.texts)
	}
	all, _ := l.notices.List(ctx, l.c.ID)
	if n > len(all) {
		n = 0
	}
	var tenants []string
	if l.random.IntN(3) == 0 {
		tenants = []string{"nord", "ost"}
	}
	got, err := l.notices.Write(ctx, l.person(who), l.c.ID, n, d, tenants, l.clock.Now())
	if n == 0 {
		n = len(all) + 1
	}
	if err == nil && got.N != n {
		l.t.Errorf("wrote notice %d instead of %d", got.N, n)
	}
	if err == nil || fault.Is(err, fault.Transient) {
		if l.wrote[n] == nil {
			l.wrote[n] = map[string]bool{}
		}
		l.wrote[n][who] = true
	}
}

func (l *randomLife) agrees(n int) {
	ctx, who, now := context.Background(), l.who(), l.clock.Now()
	o, all, err := l.notices.Preview(ctx, l.c.ID, n, now)
	if err != nil {
		return
	}
	alone := l.random.IntN(4) == 0
	hash := []string{o.Now, o.Hash}[l.random.IntN(2)]
	if alone {
		_, err = l.notices.Break(ctx, l.person(who), l.c.ID, n, hash, "night", now)
	} else {
		_, err = l.notices.Approve(ctx, l.person(who), l.c.ID, n, hash, now)
	}
	switch {
	case err != nil && !fault.Is(err, fault.Transient):
		return
	case err == nil && who == "emma":
		l.t.Error("emma agreed")
	case err == nil && !alone && l.wrote[n][who] && o.State == notice.Drafted && len(l.wrote[n]) == 1:
		l.t.Errorf("%s agreed to her own", who)
	case err == nil && o.State == notice.Drafted && o.Now != o.Hash:
		l.t.Error("agreed to what would not be sent")
	}
	for _, m := range all {
		for _, w := range m.Ways {
			l.agreed[w.To+"|"+m.Text] = true
			l.agreed[w.To+"|"+m.Short] = true
		}
		l.agreed[m.Text] = true
	}
}

// holds checks what left.
func (l *randomLife) holds(seed int) {
	l.t.Helper()
	names := notice.NamesOf(l.policy().Tenants)
	times := map[string]int{}
	for _, m := range l.sent {
		text := m.Text
		if m.Channel == notice.Webhook {
			continue // its text stands in JSON, and in the mail after it
		}
		switch {
		case l.c.Exercise && (!strings.HasSuffix(m.To, "@firm.example") || !l.agreed[text]):
			l.t.Errorf("seed %d: in an exercise %s gets %q", seed, m.To, m.Subject)
		case !l.c.Exercise && !l.agreed[m.To+"|"+text]:
			l.t.Errorf("seed %d: nobody agreed to %q for %s", seed, m.Subject, m.To)
		}
		if found := names.In(m.Subject + "\n" + text); len(found) > 1 {
			l.t.Errorf("seed %d: %s reads of %v", seed, m.To, found)
		}
		if times[m.Channel+m.ID]++; times[m.Channel+m.ID] > 1 {
			l.t.Errorf("seed %d: %s got %q twice", seed, m.To, m.Subject)
		}
	}
	l.settled(seed)
}

// settled lets everything come to an end, and checks what is on record then.
func (l *randomLife) settled(seed int) {
	l.t.Helper()
	l.reply = func(message.Message) message.Outcome { return message.Accepted }
	for range 4 {
		l.pass(15 * time.Minute)
	}
	l.pass(25 * time.Hour)
	read, err := l.cases.Get(context.Background(), l.c.ID)
	if err != nil {
		l.t.Fatal(err)
	}
	told := map[string]bool{}
	all, err := l.notices.List(context.Background(), l.c.ID)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, n := range all {
		deliveries, err := l.notices.Deliveries(context.Background(), l.c.ID, n.N, nil, 100)
		if err != nil || len(deliveries) != n.Next || n.State == notice.Sent && n.Next != n.To || n.State == notice.Approved {
			l.t.Fatalf("seed %d: %d deliveries of %+v, %v", seed, len(deliveries), n, err)
		}
		count := map[notice.Progress]int{}
		for _, d := range deliveries {
			count[d.Progress]++
			told[d.Tenant] = told[d.Tenant] || d.Progress == notice.Arrived
			if d.Progress == notice.Going || d.News != 0 || (d.Finding != "") != (d.Progress == notice.Lost) && (d.Progress != notice.Doubtful || d.Settler == "") {
				l.t.Errorf("seed %d: %+v", seed, d)
			}
		}
		if count[notice.Arrived] != n.Accepted || count[notice.Lost] != n.Failed || count[notice.Doubtful] != n.Unknown {
			l.t.Errorf("seed %d: counted %+v, there are %v", seed, n, count)
		}
		if n.State == notice.Sent && !n.Glass && slices.Contains(n.Authors, n.Approver) {
			l.t.Errorf("seed %d: %+v", seed, n)
		}
	}
	for _, track := range read.Tracks {
		if track.Told.IsZero() == told[track.ID] {
			l.t.Errorf("seed %d: %s was told: %t, and the case says %s", seed, track.ID, told[track.ID], track.Told)
		}
	}
}
