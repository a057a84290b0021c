package main

import (
	"context"
	"strings"
	"sync"
	"time"
)

// message is one in a mailbox.
type message struct {
	ID, To, Subject, Text, Channel string
	Links, Codes                   []string
	At                             time.Time
}

// post is all mailboxes. Whoever works looks into hers now and then; the oracle looks at each when it is quiet.
type post struct {
	client *client

	mu   sync.Mutex
	read time.Time
	held []message
}

// look returns what is in all mailboxes, as it was some seconds ago.
func (p *post) look(ctx context.Context) ([]message, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if machine.Now().Sub(p.read) < 4*time.Second {
		return p.held, nil
	}
	return p.fetch(ctx)
}

// fresh returns what is in all mailboxes now.
func (p *post) fresh(ctx context.Context) ([]message, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fetch(ctx)
}

func (p *post) fetch(ctx context.Context) ([]message, error) {
	var told struct{ Messages []message }
	if err := p.client.read(ctx, "mail", &told); err != nil {
		return nil, err
	}
	p.held, p.read = told.Messages, machine.Now()
	return p.held, nil
}

// to are those to an address.
func to(all []message, address string) (hers []message) {
	for _, m := range all {
		if strings.EqualFold(m.To, address) {
			hers = append(hers, m)
		}
	}
	return hers
}
