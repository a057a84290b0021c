package main

import (
	"fmt"
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/promise"
)

// story makes the records of a company's life: each quarter of an hour a run of every control and a page; two controls
// measure something and find something wrong, which is put right.
type story struct {
	at      time.Time
	quarter int64
	made    int
	waiting []record.Record
}

// next is the next record.
func (s *story) next() record.Record {
	if len(s.waiting) == 0 {
		s.waiting = s.moment()
		s.at, s.quarter = s.at.Add(quarter), s.quarter+1
	}
	r := s.waiting[0]
	s.waiting = s.waiting[1:]
	return r
}

func (s *story) moment() []record.Record {
	var all []record.Record
	for n := range controls {
		control, about := fmt.Sprint("control-", n), fmt.Sprint("Z", n)
		run := s.record(record.Run, control)
		run.Run, run.Population, run.Expires = s.quarter+1, &record.Population{Expected: 3, Seen: 3}, s.at.Add(20*time.Minute)
		all = append(all, run)
		if int64(n%35) != s.quarter%35 {
			continue
		}
		measured := s.record(record.Observation, control, about, fmt.Sprint("Z", n+controls))
		measured.Result = record.Result{State: record.Kept, Metric: "age_s", Value: 60, Op: "<=", Limit: 3600}
		measured.Expires = s.at.Add(48 * time.Hour)
		wrong := s.record(record.Finding, control, about)
		wrong.Result.State = record.Violation
		mended := s.record(record.Remediation, control, about)
		mended.Refs, mended.Result.State = []record.Ref{{Rel: "closes", ID: wrong.ID()}}, record.Pass
		all = append(all, measured, wrong, mended)
	}
	page := s.record(record.Page, promise.PageControl)
	page.Result.State = record.Pass
	return append(all, page)
}

func (s *story) record(kind record.Kind, control string, about ...string) record.Record {
	s.made++
	slices.Sort(about)
	r := record.New(kind, control, fmt.Sprint("event ", s.made), about...)
	r.Source.Type, r.Source.Observed, r.Source.Collected = "scheduler", s.at, s.at.Add(time.Second)
	r.PromiseText, r.Code, r.Config, r.Method = record.Digest(nil), record.Digest(nil), record.Digest(nil), record.Test
	return r
}
