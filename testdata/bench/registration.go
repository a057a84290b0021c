package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// pace is what one run of requests came to.
type pace struct {
	perSecond float64
	p50, p99  time.Duration
}

func (p pace) String() string {
	return fmt.Sprintf("%.0f/s, p50 %s, p99 %s", p.perSecond, short(p.p50), short(p.p99))
}

// registration compares POST /registerip/v1/leases of `ostiary serve` on its bbolt file, which syncs every write, with
// the same request to a handler that does nothing. Everything else the server does meanwhile (delivering messages,
// writing the allow-list) is part of the figure.
func (b *bench) registration(ctx context.Context) error {
	c, err := b.openCompany(ctx)
	if err != nil {
		return err
	}
	defer c.server.stop()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	idle, err := start(ctx, nil, self, "-idle")
	if err != nil {
		return err
	}
	defer idle.stop()
	for _, load := range []struct {
		name              string
		clients, requests int
	}{{"1 client", 1, b.alone}, {"32 clients", 32, b.crowd}} {
		var ours, theirs []pace
		for n := range b.runs + 1 {
			if err := c.nextDay(ctx); err != nil {
				return err
			}
			jobs, err := c.jobs(load.requests)
			if err != nil {
				return err
			}
			a, err := drive(ctx, c.server.url+"/registerip/v1/leases", load.clients, jobs, http.StatusCreated)
			if err != nil {
				return err
			}
			d, err := drive(ctx, idle.url+"/idle/v1/leases", load.clients, jobs, http.StatusNoContent)
			if err != nil {
				return err
			}
			if n > 0 { // the first warms both up
				ours, theirs = append(ours, a), append(theirs, d)
			}
		}
		b.add(row{measured: "register an address, " + load.name, ours: middle(ours).String(), beside: middle(theirs).String(),
			what: "the same server answering 204", ratio: through(perSecond(theirs), perSecond(ours))})
	}
	return c.settle(ctx)
}

// middle takes the median of each figure.
func middle(runs []pace) pace {
	var p50, p99 []time.Duration
	for _, r := range runs {
		p50, p99 = append(p50, r.p50), append(p99, r.p99)
	}
	return pace{median(perSecond(runs)), median(p50), median(p99)}
}

func perSecond(runs []pace) (rates []float64) {
	for _, r := range runs {
		rates = append(rates, r.perSecond)
	}
	return rates
}

// job is one request to send.
type job struct {
	body   string
	header http.Header
}

// drive sends the jobs from a number of clients, each waiting for its answer before its next request.
func drive(ctx context.Context, url string, clients int, jobs []job, want int) (pace, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	took := make([]time.Duration, len(jobs))
	var next atomic.Int64
	var all sync.WaitGroup
	from := time.Now()
	for range clients {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < len(jobs) && ctx.Err() == nil; n = int(next.Add(1)) - 1 {
				sent := time.Now()
				status, text, err := send(ctx, client, http.MethodPost, url, jobs[n].body, jobs[n].header)
				took[n] = time.Since(sent)
				if err == nil && status != want {
					err = fmt.Errorf("answered %d: %s", status, text)
				}
				if err != nil {
					cancel(err)
				}
			}
		})
	}
	all.Wait()
	whole := time.Since(from)
	if ctx.Err() != nil {
		return pace{}, context.Cause(ctx)
	}
	return pace{float64(len(jobs)) / whole.Seconds(), median(took), quantile(took, 0.99)}, nil
}
