package main

import (
	"context"
)

// usual is how often each fault is injected, as a share of the calls it can hit.
var usual = map[string]float64{
	"store.before": 0.01, "store.lost": 0.01, "store.twice": 0.02, "bus.before": 0.02, "bus.lost": 0.02,
	"delivery.twice": 0.05, "delivery.order": 0.05, "delivery.late": 0.01, "delivery.unacknowledged": 0.03,
	"target.before": 0.05, "target.part": 0.05, "target.other": 0.02, "message.refused": 0.03, "message.lost": 0.03, "message.silent": 0.1,
	"key.out": 0.001, "secret.out": 0.001, "directory.out": 0.001, "evidence.before": 0.02, "evidence.lost": 0.02,
	"log.before": 0.01, "log.lost": 0.01, "data.before": 0.01, "data.lost": 0.01, "slow": 0.02, "answer.lost": 0.01,
}

// fail sets how often what fails in this round: of all kinds of faults half, at rates of its own.
func (r *run) fail(ctx context.Context) error {
	if !r.faulty || r.faults == 0 {
		return nil
	}
	a, err := r.client.again(ctx, call{method: "POST", path: "/_soak/faults", body: map[string]any{"rates": r.rates()}})
	if err == nil && !a.good() {
		err = errUnanswered
	}
	return err
}

// rates are those of this round.
func (r *run) rates() map[string]float64 {
	random := r.random(uint64(r.round), 1<<22)
	rates := map[string]float64{}
	for _, kind := range sorted(usual) {
		switch share := random.Float64(); {
		case share < 0.5:
		case kind == "delivery.late" && r.short(): // by up to a day: then it is not known what comes in time
		default:
			rates[kind] = min(1, usual[kind]*2*share*r.faults)
		}
	}
	return rates
}

// counted reads how often each fault was injected, since the data folder was made.
func (r *run) counted(ctx context.Context) error {
	if !r.faulty {
		return nil
	}
	a, err := r.client.again(ctx, call{method: "GET", path: "/_soak/faults"})
	if err != nil {
		return err
	}
	told := struct{ Injected map[string]int }{r.injected}
	return a.into(&told)
}
