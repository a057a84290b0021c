package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/mail"
	netsmtp "net/smtp"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/smtp"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store/storetest"
)

const workers = 4

// notifying measures how fast tenants are told: from the approval of a notice until the case knows of each, through four
// workers on one file that is synced at each write, over SMTP; halfway one of them dies at whatever it does, and none of
// the tenants may have the message twice. Beside it four loops send the same texts to the same server and keep nothing.
func (b *bench) notifying(ctx context.Context) error {
	server, err := mailServer()
	if err != nil {
		return err
	}
	defer server.close()
	var ours, bare []time.Duration
	for run := range min(b.runs, 3) {
		took, texts, err := b.notify(ctx, server, filepath.Join(b.dir, fmt.Sprint("notify", run)))
		if err != nil {
			return err
		}
		ours = append(ours, took)
		if took, err = sendBare(server, texts); err != nil {
			return err
		}
		bare = append(bare, took)
	}
	b.paces(fmt.Sprintf("tell %d tenants of a breach, 4 workers, one of them killed", b.tenants), b.tenants, ours, bare, "four loops of `net/smtp` that keep nothing")
	return nil
}

// notify tells all tenants once, and returns how long that took and the texts.
func (b *bench) notify(ctx context.Context, server *mails, dir string) (took time.Duration, texts []notice.Message, err error) {
	f, err := newFirm(ctx, dir, b.tenants)
	if err != nil {
		return 0, nil, err
	}
	defer f.close()
	n, err := f.approvable(ctx)
	if err != nil {
		return 0, nil, err
	}
	if _, texts, err = f.notices.Preview(ctx, n.Case, n.N, f.clock.Now()); err != nil {
		return 0, nil, err
	}
	server.forget()
	from := time.Now()
	if err := f.tellAll(ctx, server, n); err != nil {
		return 0, nil, err
	}
	took = time.Since(from)
	return took, texts, f.check(ctx, server, n)
}

// tellAll approves the notice, and works until nothing is left to be sent.
func (f *firm) tellAll(ctx context.Context, server *mails, n notice.Notice) error {
	stop := make(chan struct{})
	var group sync.WaitGroup
	var sent atomic.Int64
	for w := range workers {
		group.Go(func() {
			if w == 0 {
				f.work(ctx, server, &sent, int64(n.To/2), stop) // dies, and the next takes its place
			}
			f.work(ctx, server, &sent, -1, stop)
		})
	}
	_, err := f.notices.Approve(ctx, f.person("dana"), n.Case, n.N, n.Hash, f.clock.Now())
	if err == nil {
		err = f.notices.Tick(ctx, f.clock.Now()) // hands over what is left of them
	}
	for err == nil && f.waiting.Load() > 0 && f.failed() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	close(stop)
	group.Wait()
	return errors.Join(err, f.failed(), f.notices.Tick(ctx, f.clock.Now()))
}

// errKilled is what a worker gets everywhere once it is dead.
var errKilled = errors.New("this worker is dead")

// work delivers what is on the bus until it is stopped or, with after, dead: somewhere in the first delivery after so many
// were sent. What it had in hand then comes again, to somebody else.
func (f *firm) work(ctx context.Context, server *mails, sent *atomic.Int64, after int64, stop chan struct{}) {
	dead := false
	s := storetest.Faulty(f.store, func(p storetest.Point, _ int) error {
		if dead = dead || after >= 0 && sent.Load() >= after && p == storetest.TxPut; dead {
			return errKilled
		}
		return nil
	})
	channel, err := smtp.New(smtp.Config{Address: server.address, From: mail.Address{Address: "alerts@firm.example"}, Security: smtp.Plain})
	if err != nil {
		f.fail(err)
		return
	}
	courier := &message.Courier{
		Store: s, Box: outbox.New(s, f.clock, slog.New(slog.DiscardHandler), f.sinks()), Channels: map[string]message.Channel{message.Mail: channel}, Keys: f.keys, Clock: f.clock, Random: rand.Reader,
		Log: slog.New(slog.DiscardHandler), Resolve: func(context.Context, message.Request) (string, error) {
			return "", errors.New("tenants are given by address")
		},
	}
	for !dead {
		select {
		case <-stop:
			return
		case e := <-f.bus:
			err := f.deliver(ctx, courier, e)
			if err != nil {
				f.bus <- e
			} else {
				f.waiting.Add(-1)
				sent.Add(1)
			}
			if err != nil && !dead {
				f.fail(err)
				return
			}
		}
	}
}

// deliver handles one message of the bus, as the function does that subscribes to it.
func (f *firm) deliver(ctx context.Context, courier *message.Courier, e outbox.Entry) error {
	if e.Target == message.TopicRequested {
		var r message.Request
		if err := json.Unmarshal(e.Data, &r); err != nil {
			return err
		}
		return courier.Deliver(ctx, r)
	}
	var a message.Answer
	if err := json.Unmarshal(e.Data, &a); err != nil {
		return err
	}
	told, err := f.notices.Answered(ctx, a, f.clock.Now())
	if err != nil || len(told) == 0 {
		return err
	}
	return f.tell(ctx, told[0].Case, told, f.clock.Now())
}

// check fails unless every tenant has the message once, but for the one whose worker died: that one is known to be in doubt.
func (f *firm) check(ctx context.Context, server *mails, n notice.Notice) error {
	if err := f.clock.Set(f.clock.Now().Add(2 * message.LeaseTime)); err != nil {
		return err
	}
	rest := &message.Courier{Store: f.store, Box: f.box, Keys: f.keys, Clock: f.clock, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}
	if _, err := rest.Sweep(ctx); err != nil {
		return err
	}
	for f.waiting.Load() > 0 {
		if err := f.deliver(ctx, rest, <-f.bus); err != nil {
			return err
		}
		f.waiting.Add(-1)
	}
	if err := f.notices.Tick(ctx, f.clock.Now()); err != nil {
		return err
	}
	now, err := f.notices.Get(ctx, n.Case, n.N)
	doubled, different := server.count()
	if err == nil && (now.Accepted+now.Unknown != n.To || now.Unknown > 1 || now.Failed > 0 || doubled > 0 || different < now.Accepted) {
		err = fmt.Errorf("of %d recipients %d have it, %d are in doubt, %d were lost; the server took %d and %d of them twice", n.To, now.Accepted, now.Unknown, now.Failed, different, doubled)
	}
	return err
}

// sendBare sends texts by as many loops.
func sendBare(server *mails, texts []notice.Message) (time.Duration, error) {
	from := time.Now()
	var group sync.WaitGroup
	errs := make([]error, workers)
	for w := range workers {
		group.Go(func() {
			for i := w; i < len(texts) && errs[w] == nil; i += workers {
				m := texts[i]
				body := fmt.Appendf(nil, "From: alerts@firm.example\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <bare%d@firm.example>\r\n\r\n%s", m.To, m.Subject, i, m.Text)
				errs[w] = netsmtp.SendMail(server.address, nil, "alerts@firm.example", []string{m.To}, body)
			}
		})
	}
	group.Wait()
	return time.Since(from), errors.Join(errs...)
}

// mails is a mail server on the loopback that takes everything and counts what came twice.
type mails struct {
	address string
	server  *gosmtp.Server
	mu      sync.Mutex
	times   map[string]int // by Message-ID and recipient
}

func mailServer() (*mails, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &mails{address: listener.Addr().String(), times: map[string]int{}}
	m.server = gosmtp.NewServer(m)
	m.server.Domain = "mail.example"
	go func() { _ = m.server.Serve(listener) }()
	return m, nil
}

func (m *mails) close() { _ = m.server.Close() }

func (m *mails) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.times = map[string]int{}
}

func (m *mails) count() (doubled, different int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.times {
		if n > 1 {
			doubled++
		}
	}
	return doubled, len(m.times)
}

// NewSession begins a conversation.
func (m *mails) NewSession(*gosmtp.Conn) (gosmtp.Session, error) { return &conversation{mails: m}, nil }

type conversation struct {
	*mails
	to string
}

func (c *conversation) Mail(string, *gosmtp.MailOptions) error { return nil }

func (c *conversation) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	c.to = to
	return nil
}

func (c *conversation) Data(r io.Reader) error {
	parsed, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, parsed.Body); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.times[parsed.Header.Get("Message-ID")+" "+c.to]++
	return nil
}

func (c *conversation) Reset()        {}
func (c *conversation) Logout() error { return nil }
